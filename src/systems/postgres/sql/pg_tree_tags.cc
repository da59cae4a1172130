// Names of PostgreSQL's node tags, for messages and for the describer's table of statement classes.
#include "systems/postgres/sql/pg_tree.h"

namespace sluice::postgres::sql {

#define SLUICE_TAG(tag) \
  case T_##tag: return #tag

std::string_view tag_name(::NodeTag tag, Arena& arena) {
  switch (tag) {
    SLUICE_TAG(SelectStmt);
    SLUICE_TAG(InsertStmt);
    SLUICE_TAG(UpdateStmt);
    SLUICE_TAG(DeleteStmt);
    SLUICE_TAG(MergeStmt);
    SLUICE_TAG(CopyStmt);
    SLUICE_TAG(PrepareStmt);
    SLUICE_TAG(ExecuteStmt);
    SLUICE_TAG(DeallocateStmt);
    SLUICE_TAG(DeclareCursorStmt);
    SLUICE_TAG(FetchStmt);
    SLUICE_TAG(ClosePortalStmt);
    SLUICE_TAG(ExplainStmt);
    SLUICE_TAG(CreateTableAsStmt);
    SLUICE_TAG(ViewStmt);
    SLUICE_TAG(TransactionStmt);
    SLUICE_TAG(VariableSetStmt);
    SLUICE_TAG(VariableShowStmt);
    SLUICE_TAG(DiscardStmt);
    SLUICE_TAG(ListenStmt);
    SLUICE_TAG(NotifyStmt);
    SLUICE_TAG(UnlistenStmt);
    SLUICE_TAG(LockStmt);
    SLUICE_TAG(TruncateStmt);
    SLUICE_TAG(DropStmt);
    SLUICE_TAG(CreateStmt);
    SLUICE_TAG(IndexStmt);
    SLUICE_TAG(CreateExtensionStmt);
    SLUICE_TAG(CreateSchemaStmt);
    SLUICE_TAG(AlterTableStmt);
    SLUICE_TAG(RenameStmt);
    SLUICE_TAG(CommentStmt);
    SLUICE_TAG(GrantStmt);
    SLUICE_TAG(GrantRoleStmt);
    SLUICE_TAG(CreateFunctionStmt);
    SLUICE_TAG(DoStmt);
    SLUICE_TAG(CallStmt);
    SLUICE_TAG(VacuumStmt);
    SLUICE_TAG(RefreshMatViewStmt);
    SLUICE_TAG(CheckPointStmt);
    SLUICE_TAG(ReturnStmt);
    SLUICE_TAG(PLAssignStmt);
    SLUICE_TAG(AlterDomainStmt);
    SLUICE_TAG(AlterDefaultPrivilegesStmt);
    SLUICE_TAG(ClusterStmt);
    SLUICE_TAG(DefineStmt);
    SLUICE_TAG(AlterFunctionStmt);
    SLUICE_TAG(RuleStmt);
    SLUICE_TAG(LoadStmt);
    SLUICE_TAG(CreateDomainStmt);
    SLUICE_TAG(CreatedbStmt);
    SLUICE_TAG(DropdbStmt);
    SLUICE_TAG(CreateSeqStmt);
    SLUICE_TAG(AlterSeqStmt);
    SLUICE_TAG(CreateTrigStmt);
    SLUICE_TAG(CreatePLangStmt);
    SLUICE_TAG(CreateRoleStmt);
    SLUICE_TAG(AlterRoleStmt);
    SLUICE_TAG(DropRoleStmt);
    SLUICE_TAG(ConstraintsSetStmt);
    SLUICE_TAG(ReindexStmt);
    SLUICE_TAG(AlterDatabaseStmt);
    SLUICE_TAG(AlterDatabaseRefreshCollStmt);
    SLUICE_TAG(AlterDatabaseSetStmt);
    SLUICE_TAG(AlterRoleSetStmt);
    SLUICE_TAG(CreateConversionStmt);
    SLUICE_TAG(CreateCastStmt);
    SLUICE_TAG(CreateOpClassStmt);
    SLUICE_TAG(CreateOpFamilyStmt);
    SLUICE_TAG(AlterOpFamilyStmt);
    SLUICE_TAG(CreateTableSpaceStmt);
    SLUICE_TAG(DropTableSpaceStmt);
    SLUICE_TAG(AlterObjectDependsStmt);
    SLUICE_TAG(AlterObjectSchemaStmt);
    SLUICE_TAG(AlterOwnerStmt);
    SLUICE_TAG(AlterOperatorStmt);
    SLUICE_TAG(AlterTypeStmt);
    SLUICE_TAG(DropOwnedStmt);
    SLUICE_TAG(ReassignOwnedStmt);
    SLUICE_TAG(CompositeTypeStmt);
    SLUICE_TAG(CreateEnumStmt);
    SLUICE_TAG(CreateRangeStmt);
    SLUICE_TAG(AlterEnumStmt);
    SLUICE_TAG(AlterTSDictionaryStmt);
    SLUICE_TAG(AlterTSConfigurationStmt);
    SLUICE_TAG(CreateFdwStmt);
    SLUICE_TAG(AlterFdwStmt);
    SLUICE_TAG(CreateForeignServerStmt);
    SLUICE_TAG(AlterForeignServerStmt);
    SLUICE_TAG(CreateUserMappingStmt);
    SLUICE_TAG(AlterUserMappingStmt);
    SLUICE_TAG(DropUserMappingStmt);
    SLUICE_TAG(AlterTableSpaceOptionsStmt);
    SLUICE_TAG(AlterTableMoveAllStmt);
    SLUICE_TAG(SecLabelStmt);
    SLUICE_TAG(CreateForeignTableStmt);
    SLUICE_TAG(ImportForeignSchemaStmt);
    SLUICE_TAG(AlterExtensionStmt);
    SLUICE_TAG(AlterExtensionContentsStmt);
    SLUICE_TAG(CreateEventTrigStmt);
    SLUICE_TAG(AlterEventTrigStmt);
    SLUICE_TAG(ReplicaIdentityStmt);
    SLUICE_TAG(AlterSystemStmt);
    SLUICE_TAG(CreatePolicyStmt);
    SLUICE_TAG(AlterPolicyStmt);
    SLUICE_TAG(CreateTransformStmt);
    SLUICE_TAG(CreateAmStmt);
    SLUICE_TAG(CreatePublicationStmt);
    SLUICE_TAG(AlterPublicationStmt);
    SLUICE_TAG(CreateSubscriptionStmt);
    SLUICE_TAG(AlterSubscriptionStmt);
    SLUICE_TAG(DropSubscriptionStmt);
    SLUICE_TAG(CreateStatsStmt);
    SLUICE_TAG(AlterStatsStmt);
    SLUICE_TAG(AlterCollationStmt);
    SLUICE_TAG(A_Expr);
    SLUICE_TAG(A_Const);
    SLUICE_TAG(A_Star);
    SLUICE_TAG(A_Indices);
    SLUICE_TAG(ColumnRef);
    SLUICE_TAG(ParamRef);
    SLUICE_TAG(FuncCall);
    SLUICE_TAG(TypeCast);
    SLUICE_TAG(ResTarget);
    SLUICE_TAG(SortBy);
    SLUICE_TAG(WindowDef);
    SLUICE_TAG(RangeVar);
    SLUICE_TAG(JoinExpr);
    SLUICE_TAG(RangeSubselect);
    SLUICE_TAG(RangeFunction);
    SLUICE_TAG(RangeTableSample);
    SLUICE_TAG(RangeTableFunc);
    SLUICE_TAG(List);
    SLUICE_TAG(String);
    SLUICE_TAG(Integer);
    SLUICE_TAG(Float);
#if PG_VERSION_NUM >= 160000
    SLUICE_TAG(JsonKeyValue);
    SLUICE_TAG(JsonObjectConstructor);
    SLUICE_TAG(JsonArrayConstructor);
    SLUICE_TAG(JsonArrayQueryConstructor);
    SLUICE_TAG(JsonObjectAgg);
    SLUICE_TAG(JsonArrayAgg);
    SLUICE_TAG(JsonIsPredicate);
    SLUICE_TAG(JsonValueExpr);
#endif
#if PG_VERSION_NUM >= 170000
    SLUICE_TAG(JsonFuncExpr);
    SLUICE_TAG(JsonTable);
    SLUICE_TAG(JsonParseExpr);
    SLUICE_TAG(JsonScalarExpr);
    SLUICE_TAG(JsonSerializeExpr);
    SLUICE_TAG(MergeSupportFunc);
#endif
    default: return arena.copy(fmt::format("node tag {}", static_cast<int>(tag)));
  }
}

#undef SLUICE_TAG

}  // namespace sluice::postgres::sql
