// INSERT, UPDATE, DELETE, MERGE, COPY.
#include "systems/postgres/sql/pg_tree.h"

namespace sluice::postgres::sql {

Overriding TreeConverter::overriding(::OverridingKind in) {
  switch (in) {
    case OVERRIDING_NOT_SET: return Overriding::none;
    case OVERRIDING_USER_VALUE: return Overriding::user_value;
    case OVERRIDING_SYSTEM_VALUE: return Overriding::system_value;
    default: unknown("override"); return Overriding::none;
  }
}

const Statement* TreeConverter::insert(const ::InsertStmt& in) {
  auto* out = make_statement<InsertStatement>();
  out->with = with(in.withClause);
  out->relation = relation(in.relation);
  out->columns = targets(in.cols);
  out->source = in.selectStmt == nullptr ? nullptr : select(in.selectStmt);
  out->on_conflict = on_conflict(in.onConflictClause);
  out->returning = targets(in.returningList);
  out->overriding = overriding(in.override);
  return out;
}

const OnConflict* TreeConverter::on_conflict(const ::OnConflictClause* in) {
  if (in == nullptr) return nullptr;
  auto* out = arena_.make<OnConflict>();
  switch (in->action) {
    case ONCONFLICT_NOTHING: break;
    case ONCONFLICT_UPDATE: out->update = true; break;
    default: unknown("OnConflictClause.action", in->location);
  }
  if (const auto* infer = in->infer) {
    out->has_target = true;
    out->target = index_elements(infer->indexElems);
    out->target_where = optional_expr(infer->whereClause);
    out->constraint = text(infer->conname);
  }
  out->assignments = targets(in->targetList);
  out->where = optional_expr(in->whereClause);
  out->location = in->location;
  return out;
}

const Statement* TreeConverter::update(const ::UpdateStmt& in) {
  auto* out = make_statement<UpdateStatement>();
  out->with = with(in.withClause);
  out->relation = relation(in.relation);
  out->assignments = targets(in.targetList);
  out->from = from_items(in.fromClause);
  out->where = optional_expr(in.whereClause);
  out->returning = targets(in.returningList);
  return out;
}

const Statement* TreeConverter::delete_from(const ::DeleteStmt& in) {
  auto* out = make_statement<DeleteStatement>();
  out->with = with(in.withClause);
  out->relation = relation(in.relation);
  out->using_items = from_items(in.usingClause);
  out->where = optional_expr(in.whereClause);
  out->returning = targets(in.returningList);
  return out;
}

const Statement* TreeConverter::merge(const ::MergeStmt& in) {
  auto* out = make_statement<MergeStatement>();
  out->with = with(in.withClause);
  out->relation = relation(in.relation);
  out->source = from_item(in.sourceRelation);
  out->on = expr(in.joinCondition);
  out->whens = list<MergeWhen>(in.mergeWhenClauses, [this](const ::Node* node) { return merge_when(node); });
#if PG_VERSION_NUM >= 170000
  out->returning = targets(in.returningList);
#endif
  return out;
}

MergeWhen TreeConverter::merge_when(const ::Node* node) {
  MergeWhen out;
  const auto* in = expect<::MergeWhenClause>(node, T_MergeWhenClause, "MergeStmt.mergeWhenClauses");
  if (in == nullptr) return out;
#if PG_VERSION_NUM >= 170000
  switch (in->matchKind) {
    case MERGE_WHEN_MATCHED: out.match = MergeWhen::Match::matched; break;
    case MERGE_WHEN_NOT_MATCHED_BY_SOURCE: out.match = MergeWhen::Match::not_matched_by_source; break;
    case MERGE_WHEN_NOT_MATCHED_BY_TARGET: out.match = MergeWhen::Match::not_matched_by_target; break;
    default: unknown("MergeWhenClause.matchKind");
  }
#else
  out.match = in->matched ? MergeWhen::Match::matched : MergeWhen::Match::not_matched_by_target;
#endif
  switch (in->commandType) {
    case CMD_NOTHING: out.action = MergeAction::nothing; break;
    case CMD_INSERT: out.action = MergeAction::insert; break;
    case CMD_UPDATE: out.action = MergeAction::update; break;
    case CMD_DELETE: out.action = MergeAction::delete_; break;
    default: unknown("MergeWhenClause.commandType");
  }
  out.condition = optional_expr(in->condition);
  out.targets = targets(in->targetList);
  out.values = exprs(in->values);
  out.overriding = overriding(in->override);
  return out;
}

const Statement* TreeConverter::copy(const ::CopyStmt& in) {
  auto* out = make_statement<CopyStatement>();
  out->relation = optional_relation(in.relation);
  out->query = in.query == nullptr ? nullptr : statement(in.query);
  out->columns = names(in.attlist);
  out->from = in.is_from;
  out->program = in.is_program;
  out->file = text(in.filename);
  out->options = options(in.options);
  out->where = optional_expr(in.whereClause);
  if ((in.relation == nullptr) == (in.query == nullptr)) unknown("CopyStmt without one source");
  return out;
}

IndexElement TreeConverter::index_element(const ::Node* node) {
  IndexElement out;
  const auto* in = expect<::IndexElem>(node, T_IndexElem, "IndexElem");
  if (in == nullptr) return out;
  out.name = text(in->name);
  out.expr = optional_expr(in->expr);
  out.collation = names(in->collation);
  out.operator_class = names(in->opclass);
  out.operator_class_options = options(in->opclassopts);
  if (in->ordering == SORTBY_ASC) out.direction = SortDirection::ascending;
  if (in->ordering == SORTBY_DESC) out.direction = SortDirection::descending;
  if (in->nulls_ordering == SORTBY_NULLS_FIRST) out.nulls = SortNulls::first;
  if (in->nulls_ordering == SORTBY_NULLS_LAST) out.nulls = SortNulls::last;
  return out;
}

List<IndexElement> TreeConverter::index_elements(const ::List* in) {
  return list<IndexElement>(in, [this](const ::Node* node) { return index_element(node); });
}

}  // namespace sluice::postgres::sql
