// DDL and privileges. What DDL does in detail matters little here (its verb is `schema` or `admin` whatever
// it says); names, types and every expression that the server would evaluate do.
#include "systems/postgres/sql/pg_tree.h"

namespace sluice::postgres::sql {
namespace {

template <class T>
const T& node_as(const ::Node* node) {
  return *reinterpret_cast<const T*>(node);
}

struct ObjectName {
  ObjectKind kind;
  std::string_view display;
};

ObjectName object_kind(::ObjectType type) {
  switch (type) {
    case OBJECT_TABLE: return {ObjectKind::table, "TABLE"};
    case OBJECT_FOREIGN_TABLE: return {ObjectKind::foreign_table, "FOREIGN TABLE"};
    case OBJECT_VIEW: return {ObjectKind::view, "VIEW"};
    case OBJECT_MATVIEW: return {ObjectKind::materialized_view, "MATERIALIZED VIEW"};
    case OBJECT_INDEX: return {ObjectKind::index, "INDEX"};
    case OBJECT_SEQUENCE: return {ObjectKind::sequence, "SEQUENCE"};
    case OBJECT_COLUMN: return {ObjectKind::column, "COLUMN"};
    case OBJECT_ATTRIBUTE: return {ObjectKind::attribute, "ATTRIBUTE"};
    case OBJECT_SCHEMA: return {ObjectKind::schema, "SCHEMA"};
    case OBJECT_EXTENSION: return {ObjectKind::extension, "EXTENSION"};
    case OBJECT_FUNCTION: return {ObjectKind::function, "FUNCTION"};
    case OBJECT_PROCEDURE: return {ObjectKind::procedure, "PROCEDURE"};
    case OBJECT_ROUTINE: return {ObjectKind::routine, "ROUTINE"};
    case OBJECT_AGGREGATE: return {ObjectKind::aggregate, "AGGREGATE"};
    case OBJECT_TYPE: return {ObjectKind::type, "TYPE"};
    case OBJECT_DOMAIN: return {ObjectKind::domain, "DOMAIN"};
    case OBJECT_TRIGGER: return {ObjectKind::trigger, "TRIGGER"};
    case OBJECT_RULE: return {ObjectKind::rule, "RULE"};
    case OBJECT_POLICY: return {ObjectKind::policy, "POLICY"};
    case OBJECT_TABCONSTRAINT:
    case OBJECT_DOMCONSTRAINT: return {ObjectKind::constraint, "CONSTRAINT"};
    case OBJECT_ROLE: return {ObjectKind::role, "ROLE"};
    case OBJECT_DATABASE: return {ObjectKind::database, "DATABASE"};
    case OBJECT_COLLATION: return {ObjectKind::collation, "COLLATION"};
    case OBJECT_LANGUAGE: return {ObjectKind::language, "LANGUAGE"};
    case OBJECT_OPERATOR: return {ObjectKind::operator_, "OPERATOR"};
    default: return {ObjectKind::other, "OBJECT"};
  }
}

std::string_view command_name(::AlterTableType type) {
  switch (type) {
    case AT_AddColumn: return "ADD COLUMN";
    case AT_DropColumn: return "DROP COLUMN";
    case AT_ColumnDefault: return "ALTER COLUMN DEFAULT";
    case AT_SetNotNull: return "SET NOT NULL";
    case AT_DropNotNull: return "DROP NOT NULL";
    case AT_AlterColumnType: return "ALTER COLUMN TYPE";
    case AT_SetStatistics: return "SET STATISTICS";
    case AT_SetStorage: return "SET STORAGE";
    case AT_AddConstraint: return "ADD CONSTRAINT";
    case AT_DropConstraint: return "DROP CONSTRAINT";
    case AT_ValidateConstraint: return "VALIDATE CONSTRAINT";
    case AT_ChangeOwner: return "OWNER TO";
    case AT_SetRelOptions: return "SET OPTIONS";
    case AT_ResetRelOptions: return "RESET OPTIONS";
    case AT_AddInherit: return "INHERIT";
    case AT_DropInherit: return "NO INHERIT";
    case AT_AttachPartition: return "ATTACH PARTITION";
    case AT_DetachPartition: return "DETACH PARTITION";
    case AT_EnableRowSecurity: return "ENABLE ROW LEVEL SECURITY";
    case AT_DisableRowSecurity: return "DISABLE ROW LEVEL SECURITY";
    case AT_ForceRowSecurity: return "FORCE ROW LEVEL SECURITY";
    case AT_NoForceRowSecurity: return "NO FORCE ROW LEVEL SECURITY";
    case AT_EnableTrig:
    case AT_EnableTrigAll:
    case AT_EnableTrigUser: return "ENABLE TRIGGER";
    case AT_DisableTrig:
    case AT_DisableTrigAll:
    case AT_DisableTrigUser: return "DISABLE TRIGGER";
    case AT_ReplicaIdentity: return "REPLICA IDENTITY";
    default: return "ALTER";
  }
}

}  // namespace

const Statement* TreeConverter::schema_statement(const ::Node* node) {
  switch (nodeTag(node)) {
    case T_CreateStmt: return create_table(node_as<::CreateStmt>(node), false);
    case T_CreateForeignTableStmt: return create_table(node_as<::CreateForeignTableStmt>(node).base, true);
    case T_IndexStmt: return create_index(node_as<::IndexStmt>(node));
    case T_CreateFunctionStmt: return create_function(node_as<::CreateFunctionStmt>(node));
    case T_AlterTableStmt: return alter_table(node_as<::AlterTableStmt>(node));
    case T_DropStmt: return drop(node_as<::DropStmt>(node));
    case T_GrantStmt: return grant(node_as<::GrantStmt>(node));
    case T_GrantRoleStmt: return grant_role(node_as<::GrantRoleStmt>(node));
    case T_CreateTableAsStmt: {
      const auto& in = node_as<::CreateTableAsStmt>(node);
      auto* out = make_statement<CreateTableAsStatement>();
      out->query = statement(in.query);
      out->into = into(in.into);
      if (out->into == nullptr) unknown("CreateTableAsStmt.into");
      out->materialized_view = in.objtype == OBJECT_MATVIEW;
      out->if_not_exists = in.if_not_exists;
      return out;
    }
    case T_ViewStmt: {
      const auto& in = node_as<::ViewStmt>(node);
      auto* out = make_statement<ViewStatement>();
      out->view = relation(in.view);
      out->columns = names(in.aliases);
      out->query = select(in.query);
      out->replace = in.replace;
      out->options = options(in.options);
      return out;
    }
    case T_TruncateStmt: {
      const auto& in = node_as<::TruncateStmt>(node);
      auto* out = make_statement<TruncateStatement>();
      out->relations = relations(in.relations);
      out->restart_sequences = in.restart_seqs;
      out->cascade = in.behavior == DROP_CASCADE;
      return out;
    }
    case T_CreateExtensionStmt: {
      const auto& in = node_as<::CreateExtensionStmt>(node);
      auto* out = make_statement<CreateExtensionStatement>();
      out->name = text(in.extname);
      out->if_not_exists = in.if_not_exists;
      out->options = options(in.options);
      return out;
    }
    case T_CreateSchemaStmt: {
      const auto& in = node_as<::CreateSchemaStmt>(node);
      auto* out = make_statement<CreateSchemaStatement>();
      out->name = text(in.schemaname);
      if (in.authrole != nullptr) out->owner = text(in.authrole->rolename);
      out->elements =
          list<const Statement*>(in.schemaElts, [this](const ::Node* element) { return statement(element); });
      out->if_not_exists = in.if_not_exists;
      return out;
    }
    case T_RenameStmt: {
      const auto& in = node_as<::RenameStmt>(node);
      auto* out = make_statement<RenameStatement>();
      out->object = object_kind(in.renameType).kind;
      out->relation = optional_relation(in.relation);
      out->object_name = object_name(in.object);
      out->old_name = text(in.subname);
      out->new_name = text(in.newname);
      out->if_exists = in.missing_ok;
      return out;
    }
    case T_CommentStmt: {
      const auto& in = node_as<::CommentStmt>(node);
      auto* out = make_statement<CommentStatement>();
      out->object = object_kind(in.objtype).kind;
      out->object_name = object_name(in.object);
      out->comment = text(in.comment);
      return out;
    }
    default: return other(node);
  }
}

const Statement* TreeConverter::other(const ::Node* node) {
  auto* out = make_statement<OtherStatement>();
  if (node == nullptr) {
    out->tag = "missing statement";
    unknown(out->tag);
    return out;
  }
  out->tag = tag_name(nodeTag(node), arena_);
  switch (nodeTag(node)) {
    case T_AlterObjectSchemaStmt:
      out->relation = optional_relation(node_as<::AlterObjectSchemaStmt>(node).relation);
      break;
    case T_AlterOwnerStmt: out->relation = optional_relation(node_as<::AlterOwnerStmt>(node).relation); break;
    case T_RuleStmt: out->relation = optional_relation(node_as<::RuleStmt>(node).relation); break;
    case T_CreateTrigStmt: out->relation = optional_relation(node_as<::CreateTrigStmt>(node).relation); break;
    case T_CreatePolicyStmt:
      out->relation = optional_relation(node_as<::CreatePolicyStmt>(node).table);
      break;
    case T_AlterPolicyStmt: out->relation = optional_relation(node_as<::AlterPolicyStmt>(node).table); break;
    case T_ClusterStmt: out->relation = optional_relation(node_as<::ClusterStmt>(node).relation); break;
    case T_ReindexStmt: out->relation = optional_relation(node_as<::ReindexStmt>(node).relation); break;
    case T_CreateSeqStmt: out->relation = optional_relation(node_as<::CreateSeqStmt>(node).sequence); break;
    case T_AlterSeqStmt: out->relation = optional_relation(node_as<::AlterSeqStmt>(node).sequence); break;
    default: break;
  }
  return out;
}

const Statement* TreeConverter::create_table(const ::CreateStmt& in, bool foreign) {
  auto* out = make_statement<CreateTableStatement>();
  out->relation = relation(in.relation);
  std::vector<ColumnDefinition> columns_out;
  std::vector<const RangeVar*> likes;
  std::vector<const RangeVar*> references;
  std::vector<const Expr*> checks;
  auto element = [&](const ::Node* node) {
    if (node != nullptr && nodeTag(node) == T_ColumnDef) {
      columns_out.push_back(column(node));
    } else if (node != nullptr && nodeTag(node) == T_TableLikeClause) {
      likes.push_back(relation(node_as<::TableLikeClause>(node).relation));
    } else if (const auto* constraint = expect<::Constraint>(node, T_Constraint, "CreateStmt.tableElts")) {
      table_constraint(*constraint, checks, references);
    }
    return 0;
  };
  list<int>(in.tableElts, element);
  list<int>(in.constraints, element);
  if (in.partbound != nullptr) partition_bound(*in.partbound, checks);
  if (in.partspec != nullptr) {
    list<int>(in.partspec->partParams, [&](const ::Node* node) {
      const auto* key = expect<::PartitionElem>(node, T_PartitionElem, "PartitionSpec.partParams");
      if (key != nullptr && key->expr != nullptr) checks.push_back(expr(key->expr));
      return 0;
    });
  }
  out->columns = keep(columns_out);
  out->likes = keep(likes);
  out->references = keep(references);
  out->checks = keep(checks);
  out->inherits = relations(in.inhRelations);
  out->of_type = in.ofTypename == nullptr ? nullptr : type_name(in.ofTypename);
  out->options = options(in.options);
  out->on_commit = in.oncommit == ONCOMMIT_DROP            ? OnCommit::drop
                   : in.oncommit == ONCOMMIT_DELETE_ROWS   ? OnCommit::delete_rows
                   : in.oncommit == ONCOMMIT_PRESERVE_ROWS ? OnCommit::preserve_rows
                                                           : OnCommit::unstated;
  out->partition = in.partbound != nullptr;
  out->partitioned = in.partspec != nullptr;
  out->if_not_exists = in.if_not_exists;
  out->foreign_ = foreign;
  return out;
}

// FOR VALUES takes any expression, which runs at once.
void TreeConverter::partition_bound(const ::PartitionBoundSpec& in, std::vector<const Expr*>& expressions) {
  for (const ::List* bounds : {in.listdatums, in.lowerdatums, in.upperdatums}) {
    list<int>(bounds, [&](const ::Node* node) {
      expressions.push_back(expr(node));
      return 0;
    });
  }
}

List<ColumnDefinition> TreeConverter::columns(const ::List* in) {
  return list<ColumnDefinition>(in, [this](const ::Node* node) { return column(node); });
}

ColumnDefinition TreeConverter::column(const ::Node* node) {
  ColumnDefinition out;
  const auto* in = expect<::ColumnDef>(node, T_ColumnDef, "ColumnDef");
  if (in == nullptr) return out;
  out.name = text(in->colname);
  out.type = in->typeName == nullptr ? nullptr : type_name(in->typeName);
  out.default_value = optional_expr(in->raw_default);
  out.generated = in->generated != 0;
  out.not_null = in->is_not_null;
  out.identity = in->identity != 0;
  out.collation = in->collClause == nullptr ? nullptr : collate(*in->collClause);
  out.location = in->location;
  std::vector<const Expr*> checks;
  list<int>(in->constraints, [&](const ::Node* item) {
    if (const auto* constraint = expect<::Constraint>(item, T_Constraint, "ColumnDef.constraints")) {
      column_constraint(*constraint, out, checks);
    }
    return 0;
  });
  out.checks = keep(checks);
  if (in->cooked_default != nullptr) unknown("ColumnDef.cooked_default", in->location);
  return out;
}

void TreeConverter::column_constraint(const ::Constraint& in, ColumnDefinition& out,
                                      std::vector<const Expr*>& checks) {
  switch (in.contype) {
    case CONSTR_NOTNULL: out.not_null = true; break;
    case CONSTR_DEFAULT: out.default_value = optional_expr(in.raw_expr); break;
    case CONSTR_IDENTITY: out.identity = true; break;
    case CONSTR_GENERATED:
      out.default_value = optional_expr(in.raw_expr);
      out.generated = true;
      break;
    case CONSTR_CHECK: checks.push_back(expr(in.raw_expr)); break;
    case CONSTR_PRIMARY: out.primary_key = true; break;
    case CONSTR_UNIQUE: out.unique = true; break;
    case CONSTR_FOREIGN: out.references = relation(in.pktable); break;
    case CONSTR_NULL:
    case CONSTR_ATTR_DEFERRABLE:
    case CONSTR_ATTR_NOT_DEFERRABLE:
    case CONSTR_ATTR_DEFERRED:
    case CONSTR_ATTR_IMMEDIATE: break;
    default: unknown("Constraint.contype", in.location);
  }
}

void TreeConverter::table_constraint(const ::Constraint& in, std::vector<const Expr*>& checks,
                                     std::vector<const RangeVar*>& references) {
  if (in.raw_expr != nullptr) checks.push_back(expr(in.raw_expr));
  if (in.where_clause != nullptr) checks.push_back(expr(in.where_clause));
  if (in.pktable != nullptr) references.push_back(relation(in.pktable));
  // EXCLUDE: pairs of an index element and an operator.
  list<int>(in.exclusions, [&](const ::Node* node) {
    const auto* pair = expect<::List>(node, T_List, "Constraint.exclusions");
    if (list_length(pair) > 0) {
      auto element = index_element(static_cast<const ::Node*>(pair->elements[0].ptr_value));
      if (element.expr != nullptr) checks.push_back(element.expr);
    }
    return 0;
  });
}

const Statement* TreeConverter::create_index(const ::IndexStmt& in) {
  auto* out = make_statement<CreateIndexStatement>();
  out->name = text(in.idxname);
  out->relation = relation(in.relation);
  out->access_method = text(in.accessMethod);
  out->elements = index_elements(in.indexParams);
  out->including = index_elements(in.indexIncludingParams);
  out->options = options(in.options);
  out->where = optional_expr(in.whereClause);
  out->unique = in.unique;
  out->concurrently = in.concurrent;
  out->if_not_exists = in.if_not_exists;
  return out;
}

const Statement* TreeConverter::create_function(const ::CreateFunctionStmt& in) {
  auto* out = make_statement<CreateFunctionStatement>();
  out->name = names(in.funcname);
  out->procedure = in.is_procedure;
  out->replace = in.replace;
  for (const auto& option : options(in.options)) {
    if (option.name == "language") out->language = option.text;
    if (option.name == "security") out->security_definer = option.integer != 0;
  }
  return out;
}

const Statement* TreeConverter::alter_table(const ::AlterTableStmt& in) {
  auto* out = make_statement<AlterTableStatement>();
  out->object = object_kind(in.objtype).kind;
  out->relation = relation(in.relation);
  out->commands =
      list<AlterTableCommand>(in.cmds, [this](const ::Node* node) { return alter_command(node); });
  out->if_exists = in.missing_ok;
  return out;
}

AlterTableCommand TreeConverter::alter_command(const ::Node* node) {
  AlterTableCommand out;
  const auto* in = expect<::AlterTableCmd>(node, T_AlterTableCmd, "AlterTableStmt.cmds");
  if (in == nullptr) return out;
  out.name = command_name(in->subtype);
  out.object = text(in->name);
  if (in->def == nullptr) return out;
  std::vector<const Expr*> expressions;
  std::vector<const RangeVar*> references;
  switch (nodeTag(in->def)) {
    case T_ColumnDef: {
      auto* to = arena_.make<ColumnDefinition>();
      *to = column(in->def);
      out.column = to;
      break;
    }
    case T_Constraint: table_constraint(node_as<::Constraint>(in->def), expressions, references); break;
    case T_RangeVar: references.push_back(relation(&node_as<::RangeVar>(in->def))); break;
    case T_PartitionCmd: {
      const auto& command = node_as<::PartitionCmd>(in->def);
      references.push_back(relation(command.name));
      if (command.bound != nullptr) partition_bound(*command.bound, expressions);
      break;
    }
    default:
      if (in->subtype == AT_ColumnDefault) expressions.push_back(expr(in->def));
  }
  out.expressions = keep(expressions);
  if (!references.empty()) out.relation = references.front();
  return out;
}

const Statement* TreeConverter::drop(const ::DropStmt& in) {
  auto* out = make_statement<DropStatement>();
  auto object = object_kind(in.removeType);
  out->object = object.kind;
  out->object_name = object.display;
  out->objects = list<Names>(in.objects, [this](const ::Node* node) { return object_name(node); });
  out->if_exists = in.missing_ok;
  out->cascade = in.behavior == DROP_CASCADE;
  out->concurrently = in.concurrent;
  return out;
}

Names TreeConverter::object_name(const ::Node* in) {
  if (in == nullptr) return {};
  auto single = [this](const char* name) {
    auto out = arena_.make_array<std::string_view>(1);
    out[0] = text(name);
    return Names(out);
  };
  switch (nodeTag(in)) {
    case T_String: return single(node_as<::String>(in).sval);
    case T_TypeName: return names(node_as<::TypeName>(in).names);
    case T_ObjectWithArgs: return names(node_as<::ObjectWithArgs>(in).objname);
    case T_List: {
      // Mostly strings; a cast or transform has types, whose names do not matter here.
      const auto& parts = node_as<::List>(in);
      for (int i = 0; i < parts.length; ++i) {
        const auto* part = static_cast<const ::Node*>(parts.elements[i].ptr_value);
        if (part == nullptr || nodeTag(part) != T_String) return {};
      }
      return names(&parts);
    }
    default: return {};
  }
}

const Statement* TreeConverter::grant(const ::GrantStmt& in) {
  auto* out = make_statement<GrantStatement>();
  out->grant = in.is_grant;
  out->object = object_kind(in.objtype).kind;
  std::vector<const RangeVar*> relations_out;
  list<int>(in.objects, [&](const ::Node* node) {
    if (node != nullptr && nodeTag(node) == T_RangeVar)
      relations_out.push_back(relation(&node_as<::RangeVar>(node)));
    return 0;
  });
  out->relations = keep(relations_out);
  out->privileges = list<std::string_view>(in.privileges, [this](const ::Node* node) {
    const auto* privilege = expect<::AccessPriv>(node, T_AccessPriv, "GrantStmt.privileges");
    return privilege == nullptr ? std::string_view{} : text(privilege->priv_name);
  });
  return out;
}

const Statement* TreeConverter::grant_role(const ::GrantRoleStmt& in) {
  auto* out = make_statement<GrantRoleStatement>();
  out->grant = in.is_grant;
  out->roles = list<std::string_view>(in.granted_roles, [this](const ::Node* node) {
    const auto* role = expect<::AccessPriv>(node, T_AccessPriv, "GrantRoleStmt.granted_roles");
    return role == nullptr ? std::string_view{} : text(role->priv_name);
  });
  out->grantees = list<std::string_view>(in.grantee_roles, [this](const ::Node* node) {
    const auto* role = expect<::RoleSpec>(node, T_RoleSpec, "GrantRoleStmt.grantee_roles");
    return role == nullptr ? std::string_view{} : text(role->rolename);
  });
  return out;
}

}  // namespace sluice::postgres::sql
