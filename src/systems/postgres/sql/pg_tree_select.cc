// SELECT: its clauses, FROM and WITH.
#include <cstdint>
#include <cstring>

#include "systems/postgres/sql/pg_tree.h"

namespace sluice::postgres::sql {
namespace {

const ::Node* as_node(const void* node) {
  return static_cast<const ::Node*>(node);
}

// libpg_query moves LIMIT_OPTION_DEFAULT to the front, so that the server header's enumerators are wrong for
// its trees (libpg_query, patches/05_limit_option_enum_value_default.patch). These are its values.
constexpr std::uint32_t kLimitDefault = 0;
constexpr std::uint32_t kLimitCount = 1;
constexpr std::uint32_t kLimitWithTies = 2;

// Read by its bytes: PostgreSQL 17's own enumeration has no third value, and loading one is undefined.
std::uint32_t limit_option(const SelectStmt& in) {
  static_assert(sizeof in.limitOption == sizeof(std::uint32_t));
  std::uint32_t value = 0;
  std::memcpy(&value, &in.limitOption, sizeof value);
  return value;
}

std::optional<LockStrength> lock_strength(::LockClauseStrength in) {
  switch (in) {
    case LCS_NONE: return LockStrength::none;
    case LCS_FORKEYSHARE: return LockStrength::key_share;
    case LCS_FORSHARE: return LockStrength::share;
    case LCS_FORNOKEYUPDATE: return LockStrength::no_key_update;
    case LCS_FORUPDATE: return LockStrength::update;
    default: return std::nullopt;
  }
}

}  // namespace

const SelectStatement* TreeConverter::select(const ::Node* node) {
  auto* out = make_statement<SelectStatement>();
  Level level(*this);
  if (!level) return out;
  const auto* in = expect<::SelectStmt>(node, T_SelectStmt, "query that is not a SELECT");
  if (in == nullptr) return out;
  out->with = with(in->withClause);
  switch (in->op) {
    case SETOP_NONE: select_body(*in, *out); break;
    case SETOP_UNION: out->set_operation = SetOperation::union_; break;
    case SETOP_INTERSECT: out->set_operation = SetOperation::intersect; break;
    case SETOP_EXCEPT: out->set_operation = SetOperation::except; break;
    default: unknown("SelectStmt.op");
  }
  if (out->set_operation != SetOperation::none) {
    out->set_all = in->all;
    out->left = select(as_node(in->larg));
    out->right = select(as_node(in->rarg));
  }
  out->order_by = sort_items(in->sortClause);
  out->offset = optional_expr(in->limitOffset);
  out->limit = optional_expr(in->limitCount);
  switch (limit_option(*in)) {
    case kLimitDefault:
    case kLimitCount: break;
    case kLimitWithTies: out->with_ties = true; break;
    default: unknown("SelectStmt.limitOption");
  }
  if (in->lockingClause != nullptr) locking(*in, *out);
  return out;
}

void TreeConverter::select_body(const ::SelectStmt& in, SelectStatement& out) {
  if (in.distinctClause != nullptr) {
    out.distinct = true;  // a list of one null pointer is DISTINCT without ON
    if (linitial(in.distinctClause) != nullptr) out.distinct_on = exprs(in.distinctClause);
  }
  out.into = into(in.intoClause);
  out.targets = targets(in.targetList);
  out.from = from_items(in.fromClause);
  out.where = optional_expr(in.whereClause);
  if (!fits(in.groupClause, limits_.list_items, "items in GROUP BY")) return;
  out.group_by = exprs(in.groupClause);
  out.group_distinct = in.groupDistinct;
  out.having = optional_expr(in.havingClause);
  out.windows = list<const Window*>(in.windowClause, [this](const ::Node* node) {
    const auto* definition = expect<::WindowDef>(node, T_WindowDef, "SelectStmt.windowClause");
    return definition == nullptr ? arena_.make<Window>() : window(*definition);
  });
  if (in.valuesLists != nullptr) {
    out.is_values = true;
    out.values = list<Exprs>(in.valuesLists, [this](const ::Node* node) {
      const auto* row = expect<::List>(node, T_List, "SelectStmt.valuesLists");
      return exprs(row);
    });
  }
}

void TreeConverter::locking(const ::SelectStmt& in, SelectStatement& out) {
  out.locking = list<Locking>(in.lockingClause, [this](const ::Node* node) {
    Locking lock;
    const auto* clause = expect<::LockingClause>(node, T_LockingClause, "SelectStmt.lockingClause");
    if (clause == nullptr) return lock;
    lock.relations = relations(clause->lockedRels);
    if (auto strength = lock_strength(clause->strength)) {
      lock.strength = *strength;
    } else {
      unknown("LockingClause.strength");
    }
    lock.wait = clause->waitPolicy == LockWaitSkip    ? LockWait::skip
                : clause->waitPolicy == LockWaitError ? LockWait::error
                                                      : LockWait::block;
    return lock;
  });
}

Target TreeConverter::target(const ::Node* node) {
  Target out;
  const auto* in = expect<::ResTarget>(node, T_ResTarget, "targetList");
  if (in == nullptr) return out;
  out.name = text(in->name);
  out.indirection = indirection(in->indirection);
  out.value = optional_expr(in->val);
  out.location = in->location;
  return out;
}

List<Target> TreeConverter::targets(const ::List* in) {
  if (!fits(in, limits_.list_items, "columns in a list")) return {};
  return list<Target>(in, [this](const ::Node* node) { return target(node); });
}

const IntoClause* TreeConverter::into(const ::IntoClause* in) {
  if (in == nullptr) return nullptr;
  auto* out = arena_.make<IntoClause>();
  out->relation = relation(in->rel);
  out->columns = names(in->colNames);
  out->access_method = text(in->accessMethod);
  out->options = options(in->options);
  out->tablespace = text(in->tableSpaceName);
  out->with_no_data = in->skipData;
  switch (in->onCommit) {
    case ONCOMMIT_NOOP: break;
    case ONCOMMIT_PRESERVE_ROWS: out->on_commit = OnCommit::preserve_rows; break;
    case ONCOMMIT_DELETE_ROWS: out->on_commit = OnCommit::delete_rows; break;
    case ONCOMMIT_DROP: out->on_commit = OnCommit::drop; break;
    default: unknown("IntoClause.onCommit");
  }
  if (in->viewQuery != nullptr) unknown("IntoClause.viewQuery");
  return out;
}

List<const FromItem*> TreeConverter::from_items(const ::List* in) {
  return list<const FromItem*>(in, [this](const ::Node* node) { return from_item(node); });
}

const FromItem* TreeConverter::from_item(const ::Node* node) {
  Level level(*this);
  if (level && node != nullptr) {
    switch (nodeTag(node)) {
      case T_RangeVar: return relation(reinterpret_cast<const ::RangeVar*>(node));
      case T_JoinExpr: return join(*reinterpret_cast<const ::JoinExpr*>(node));
      case T_RangeSubselect: return sub_select(*reinterpret_cast<const ::RangeSubselect*>(node));
      case T_RangeFunction: return from_function(*reinterpret_cast<const ::RangeFunction*>(node));
      case T_RangeTableSample: return sample(*reinterpret_cast<const ::RangeTableSample*>(node));
      case T_RangeTableFunc: return table_func(*reinterpret_cast<const ::RangeTableFunc*>(node));
      default: break;
    }
  }
  auto* out = make<UnknownFrom>(kNoLocation);
  out->what = node == nullptr ? "missing FROM item" : tag_name(nodeTag(node), arena_);
  unknown(out->what);
  return out;
}

const RangeVar* TreeConverter::relation(const ::RangeVar* in) {
  if (in == nullptr) {
    unknown("missing RangeVar");
    return make<RangeVar>(kNoLocation);
  }
  auto* out = make<RangeVar>(in->location);
  ++nodes_;
  out->catalog = text(in->catalogname);
  out->schema = text(in->schemaname);
  out->name = text(in->relname);
  out->inherit = in->inh;
  switch (in->relpersistence) {
    case 'p': break;
    case 'u': out->persistence = Persistence::unlogged; break;
    case 't': out->persistence = Persistence::temporary; break;
    default: unknown("RangeVar.relpersistence", in->location);
  }
  out->alias = alias(in->alias);
  return out;
}

List<const RangeVar*> TreeConverter::relations(const ::List* in) {
  return list<const RangeVar*>(in, [this](const ::Node* node) {
    return relation(expect<::RangeVar>(node, T_RangeVar, "relation list"));
  });
}

const Alias* TreeConverter::alias(const ::Alias* in) {
  if (in == nullptr) return nullptr;
  auto* out = arena_.make<Alias>();
  out->name = text(in->aliasname);
  out->columns = names(in->colnames);
  return out;
}

const FromItem* TreeConverter::join(const ::JoinExpr& in) {
  auto* out = make<JoinItem>(kNoLocation);
  switch (in.jointype) {
    case JOIN_INNER: out->join = JoinKind::inner; break;
    case JOIN_LEFT: out->join = JoinKind::left; break;
    case JOIN_FULL: out->join = JoinKind::full; break;
    case JOIN_RIGHT: out->join = JoinKind::right; break;
    default: unknown("JoinExpr.jointype");
  }
  out->natural = in.isNatural;
  out->left = from_item(in.larg);
  out->right = from_item(in.rarg);
  out->using_columns = names(in.usingClause);
  out->using_alias = alias(in.join_using_alias);
  out->on = optional_expr(in.quals);
  out->alias = alias(in.alias);
  return out;
}

const FromItem* TreeConverter::sub_select(const ::RangeSubselect& in) {
  auto* out = make<SubSelectItem>(kNoLocation);
  out->lateral = in.lateral;
  out->query = select(in.subquery);
  out->alias = alias(in.alias);
  return out;
}

const FromItem* TreeConverter::from_function(const ::RangeFunction& in) {
  auto* out = make<FunctionItem>(kNoLocation);
  out->lateral = in.lateral;
  out->ordinality = in.ordinality;
  out->rows_from = in.is_rowsfrom;
  out->functions = list<FromFunction>(in.functions, [this](const ::Node* node) {
    FromFunction function;
    const auto* pair = expect<::List>(node, T_List, "RangeFunction.functions");
    if (list_length(pair) != 2) {
      unknown("RangeFunction.functions");
      function.call = unknown_expr("RangeFunction.functions", kNoLocation);
      return function;
    }
    function.call = expr(static_cast<const ::Node*>(pair->elements[0].ptr_value));
    function.columns = columns(static_cast<const ::List*>(pair->elements[1].ptr_value));
    return function;
  });
  out->columns = columns(in.coldeflist);
  out->alias = alias(in.alias);
  if (!out->functions.empty() && out->functions[0].call != nullptr)
    out->location = out->functions[0].call->location;
  return out;
}

const FromItem* TreeConverter::sample(const ::RangeTableSample& in) {
  auto* out = make<SampleItem>(in.location);
  out->relation = from_item(in.relation);
  out->method = names(in.method);
  out->args = exprs(in.args);
  out->repeatable = optional_expr(in.repeatable);
  return out;
}

const FromItem* TreeConverter::table_func(const ::RangeTableFunc& in) {
  auto* out = make<TableFuncItem>(in.location);
  out->lateral = in.lateral;
  out->document = expr(in.docexpr);
  out->rows = expr(in.rowexpr);
  out->namespaces = targets(in.namespaces);
  out->columns = list<TableFuncColumn>(in.columns, [this](const ::Node* node) {
    TableFuncColumn column;
    const auto* from = expect<::RangeTableFuncCol>(node, T_RangeTableFuncCol, "RangeTableFunc.columns");
    if (from == nullptr) return column;
    column.name = text(from->colname);
    column.for_ordinality = from->for_ordinality;
    column.type = from->for_ordinality ? nullptr : type_name(from->typeName);
    column.not_null = from->is_not_null;
    column.path = optional_expr(from->colexpr);
    column.default_value = optional_expr(from->coldefexpr);
    column.location = from->location;
    return column;
  });
  out->alias = alias(in.alias);
  return out;
}

const WithClause* TreeConverter::with(const ::WithClause* in) {
  if (in == nullptr) return nullptr;
  auto* out = arena_.make<WithClause>();
  out->recursive = in->recursive;
  out->location = in->location;
  if (!fits(in->ctes, limits_.common_tables, "queries in a WITH")) return out;
  out->tables = list<CommonTable>(in->ctes, [this](const ::Node* node) { return common_table(node); });
  return out;
}

CommonTable TreeConverter::common_table(const ::Node* node) {
  CommonTable out;
  const auto* in = expect<::CommonTableExpr>(node, T_CommonTableExpr, "WithClause.ctes");
  if (in == nullptr) {
    out.query = other(nullptr);
    return out;
  }
  out.name = text(in->ctename);
  out.columns = names(in->aliascolnames);
  switch (in->ctematerialized) {
    case CTEMaterializeDefault: break;
    case CTEMaterializeAlways: out.materialized = Materialized::always; break;
    case CTEMaterializeNever: out.materialized = Materialized::never; break;
    default: unknown("CommonTableExpr.ctematerialized", in->location);
  }
  out.query = statement(in->ctequery);
  out.location = in->location;
  if (const auto* search = in->search_clause) {
    auto* to = arena_.make<CteSearch>();
    to->columns = names(search->search_col_list);
    to->breadth_first = search->search_breadth_first;
    to->sequence_column = text(search->search_seq_column);
    out.search = to;
  }
  if (const auto* cycle = in->cycle_clause) {
    auto* to = arena_.make<CteCycle>();
    to->columns = names(cycle->cycle_col_list);
    to->mark_column = text(cycle->cycle_mark_column);
    to->mark_value = optional_expr(cycle->cycle_mark_value);
    to->mark_default = optional_expr(cycle->cycle_mark_default);
    to->path_column = text(cycle->cycle_path_column);
    out.cycle = to;
  }
  return out;
}

}  // namespace sluice::postgres::sql
