// Expressions.
#include "systems/postgres/sql/pg_tree.h"

namespace sluice::postgres::sql {
namespace {

template <class T>
const T& node_as(const ::Node* node) {
  return *reinterpret_cast<const T*>(node);
}

const ::Node* as_node(const void* expr) {
  return static_cast<const ::Node*>(expr);
}

std::optional<OperatorKind> operator_kind(::A_Expr_Kind kind) {
  switch (kind) {
    case AEXPR_OP: return OperatorKind::plain;
    case AEXPR_OP_ANY: return OperatorKind::any;
    case AEXPR_OP_ALL: return OperatorKind::all;
    case AEXPR_DISTINCT: return OperatorKind::distinct;
    case AEXPR_NOT_DISTINCT: return OperatorKind::not_distinct;
    case AEXPR_NULLIF: return OperatorKind::null_if;
    case AEXPR_IN: return OperatorKind::in;
    case AEXPR_LIKE: return OperatorKind::like;
    case AEXPR_ILIKE: return OperatorKind::ilike;
    case AEXPR_SIMILAR: return OperatorKind::similar;
    case AEXPR_BETWEEN: return OperatorKind::between;
    case AEXPR_NOT_BETWEEN: return OperatorKind::not_between;
    case AEXPR_BETWEEN_SYM: return OperatorKind::between_symmetric;
    case AEXPR_NOT_BETWEEN_SYM: return OperatorKind::not_between_symmetric;
    default: return std::nullopt;
  }
}

std::optional<SubLinkKind> sub_link_kind(::SubLinkType type) {
  switch (type) {
    case EXISTS_SUBLINK: return SubLinkKind::exists;
    case ALL_SUBLINK: return SubLinkKind::all;
    case ANY_SUBLINK: return SubLinkKind::any;
    case EXPR_SUBLINK: return SubLinkKind::scalar;
    case MULTIEXPR_SUBLINK: return SubLinkKind::multi_column;
    case ARRAY_SUBLINK: return SubLinkKind::array;
    default: return std::nullopt;
  }
}

std::optional<BooleanTestKind> boolean_test_kind(::BoolTestType type) {
  switch (type) {
    case IS_TRUE: return BooleanTestKind::is_true;
    case IS_NOT_TRUE: return BooleanTestKind::is_not_true;
    case IS_FALSE: return BooleanTestKind::is_false;
    case IS_NOT_FALSE: return BooleanTestKind::is_not_false;
    case IS_UNKNOWN: return BooleanTestKind::is_unknown;
    case IS_NOT_UNKNOWN: return BooleanTestKind::is_not_unknown;
    default: return std::nullopt;
  }
}

std::string_view sql_value_name(::SQLValueFunctionOp op) {
  switch (op) {
    case SVFOP_CURRENT_DATE: return "current_date";
    case SVFOP_CURRENT_TIME:
    case SVFOP_CURRENT_TIME_N: return "current_time";
    case SVFOP_CURRENT_TIMESTAMP:
    case SVFOP_CURRENT_TIMESTAMP_N: return "current_timestamp";
    case SVFOP_LOCALTIME:
    case SVFOP_LOCALTIME_N: return "localtime";
    case SVFOP_LOCALTIMESTAMP:
    case SVFOP_LOCALTIMESTAMP_N: return "localtimestamp";
    case SVFOP_CURRENT_ROLE: return "current_role";
    case SVFOP_CURRENT_USER: return "current_user";
    case SVFOP_USER: return "user";
    case SVFOP_SESSION_USER: return "session_user";
    case SVFOP_CURRENT_CATALOG: return "current_catalog";
    case SVFOP_CURRENT_SCHEMA: return "current_schema";
    default: return {};
  }
}

std::optional<GroupingSetKind> grouping_set_kind(::GroupingSetKind kind) {
  switch (kind) {
    case GROUPING_SET_EMPTY: return GroupingSetKind::empty;
    case GROUPING_SET_SIMPLE: return GroupingSetKind::simple;
    case GROUPING_SET_ROLLUP: return GroupingSetKind::rollup;
    case GROUPING_SET_CUBE: return GroupingSetKind::cube;
    case GROUPING_SET_SETS: return GroupingSetKind::sets;
    default: return std::nullopt;
  }
}

std::optional<XmlOperator> xml_operator(::XmlExprOp op) {
  switch (op) {
    case IS_XMLCONCAT: return XmlOperator::concat;
    case IS_XMLELEMENT: return XmlOperator::element;
    case IS_XMLFOREST: return XmlOperator::forest;
    case IS_XMLPARSE: return XmlOperator::parse;
    case IS_XMLPI: return XmlOperator::pi;
    case IS_XMLROOT: return XmlOperator::root;
    case IS_XMLSERIALIZE: return XmlOperator::serialize;
    case IS_DOCUMENT: return XmlOperator::document;
    default: return std::nullopt;
  }
}

}  // namespace

// Only picks the function for the tag, so that a level of nesting costs little stack.
const Expr* TreeConverter::expr(const ::Node* node) {
  Level level(*this);
  if (!level) return unknown_expr("limit", kNoLocation);
  if (node == nullptr) return unknown_expr("missing expression", kNoLocation);
  switch (nodeTag(node)) {
    case T_ColumnRef: return column_ref(node_as<::ColumnRef>(node));
    case T_A_Const: return constant(node_as<::A_Const>(node));
    case T_A_Expr: return operation(node_as<::A_Expr>(node));
    case T_BoolExpr: return boolean(node_as<::BoolExpr>(node));
    case T_FuncCall: return function_call(node_as<::FuncCall>(node));
    case T_TypeCast: return cast(node_as<::TypeCast>(node));
    case T_CaseExpr: return case_expr(node_as<::CaseExpr>(node));
    case T_SubLink: return sub_link(node_as<::SubLink>(node));
    case T_NullTest: return null_test(node_as<::NullTest>(node));
    case T_BooleanTest: return boolean_test(node_as<::BooleanTest>(node));
    case T_CollateClause: return collate(node_as<::CollateClause>(node));
    case T_SQLValueFunction: return sql_value(node_as<::SQLValueFunction>(node));
    case T_A_Indirection: return indirection_expr(node_as<::A_Indirection>(node));
    case T_GroupingSet: return grouping_set(node_as<::GroupingSet>(node));
    case T_XmlExpr: return xml(node_as<::XmlExpr>(node));
    case T_XmlSerialize: return xml_serialize(node_as<::XmlSerialize>(node));
    case T_MultiAssignRef: return multi_assign(node_as<::MultiAssignRef>(node));
    default: return rare_expr(node);
  }
}

const Expr* TreeConverter::rare_expr(const ::Node* node) {
  switch (nodeTag(node)) {
    case T_ParamRef: {
      const auto& in = node_as<::ParamRef>(node);
      auto* out = make<ParamRef>(in.location);
      out->number = in.number;
      highest_parameter_ = std::max(highest_parameter_, in.number);
      return out;
    }
    case T_CoalesceExpr: {
      const auto& in = node_as<::CoalesceExpr>(node);
      auto* out = make<CoalesceExpr>(in.location);
      out->args = exprs(in.args);
      return out;
    }
    case T_MinMaxExpr: {
      const auto& in = node_as<::MinMaxExpr>(node);
      auto* out = make<MinMaxExpr>(in.location);
      out->greatest = in.op == IS_GREATEST;
      out->args = exprs(in.args);
      return out;
    }
    case T_A_ArrayExpr: {
      const auto& in = node_as<::A_ArrayExpr>(node);
      auto* out = make<ArrayExpr>(in.location);
      out->elements = exprs(in.elements);
      return out;
    }
    case T_RowExpr: {
      const auto& in = node_as<::RowExpr>(node);
      auto* out = make<RowExpr>(in.location);
      out->args = exprs(in.args);
      out->explicit_row = in.row_format == COERCE_EXPLICIT_CALL;
      if (in.colnames != nullptr) unknown("RowExpr.colnames", in.location);
      return out;
    }
    case T_GroupingFunc: {
      const auto& in = node_as<::GroupingFunc>(node);
      auto* out = make<GroupingFunc>(in.location);
      out->args = exprs(in.args);
      return out;
    }
    case T_SetToDefault: return make<SetToDefault>(node_as<::SetToDefault>(node).location);
    case T_CurrentOfExpr: {
      const auto& in = node_as<::CurrentOfExpr>(node);
      auto* out = make<CurrentOf>(kNoLocation);
      out->cursor = text(in.cursor_name);
      out->parameter = in.cursor_param;
      return out;
    }
    case T_NamedArgExpr: {
      const auto& in = node_as<::NamedArgExpr>(node);
      auto* out = make<NamedArgument>(in.location);
      out->name = text(in.name);
      out->arg = expr(as_node(in.arg));
      return out;
    }
    default: return unknown_expr(tag_name(nodeTag(node), arena_), kNoLocation);
  }
}

const Expr* TreeConverter::unknown_expr(std::string_view what, int location) {
  unknown(what, location);
  auto* out = make<UnknownExpr>(location);
  out->what = what;
  return out;
}

Exprs TreeConverter::exprs(const ::List* in) {
  return list<const Expr*>(in, [this](const ::Node* node) { return expr(node); });
}

const Expr* TreeConverter::column_ref(const ::ColumnRef& in) {
  auto* out = make<ColumnRef>(in.location);
  int parts = list_length(in.fields);
  if (parts > 0 && nodeTag(linitial(in.fields)) != T_A_Star && nodeTag(llast(in.fields)) == T_A_Star) {
    out->star = true;
    --parts;
  } else if (parts == 1 && nodeTag(linitial(in.fields)) == T_A_Star) {
    out->star = true;
    parts = 0;
  }
  auto names_out = arena_.make_array<std::string_view>(static_cast<std::size_t>(parts));
  for (int i = 0; i < parts; ++i) {
    const auto* field = expect<::String>(static_cast<const ::Node*>(in.fields->elements[i].ptr_value),
                                         T_String, "ColumnRef.fields");
    if (field != nullptr) names_out[static_cast<std::size_t>(i)] = text(field->sval);
  }
  out->parts = names_out;
  return out;
}

const Expr* TreeConverter::constant(const ::A_Const& in) {
  auto* out = make<Constant>(in.location);
  if (in.isnull) return out;
  switch (nodeTag(&in.val)) {
    case T_Integer:
      out->value_kind = ConstantKind::integer;
      out->integer = in.val.ival.ival;
      break;
    case T_Float:
      out->value_kind = ConstantKind::number;
      out->text = text(in.val.fval.fval);
      break;
    case T_Boolean:
      out->value_kind = ConstantKind::boolean;
      out->integer = in.val.boolval.boolval ? 1 : 0;
      break;
    case T_String:
      out->value_kind = ConstantKind::text;
      out->text = text(in.val.sval.sval);
      break;
    case T_BitString:
      out->value_kind = ConstantKind::bits;
      out->text = text(in.val.bsval.bsval);
      break;
    default: unknown("A_Const.val", in.location);
  }
  return out;
}

const Expr* TreeConverter::operation(const ::A_Expr& in) {
  auto* out = make<OperatorExpr>(in.location);
  if (auto form = operator_kind(in.kind)) {
    out->form = *form;
  } else {
    unknown("A_Expr.kind", in.location);
  }
  out->name = names(in.name);
  out->left = in.lexpr == nullptr ? nullptr : operand(in.lexpr);
  out->right = in.rexpr == nullptr ? nullptr : operand(in.rexpr);
  return out;
}

// The list of IN and of BETWEEN is a bare List.
const Expr* TreeConverter::operand(const ::Node* node) {
  if (nodeTag(node) != T_List) return expr(node);
  Level level(*this);
  if (!level) return unknown_expr("limit", kNoLocation);
  auto* out = make<ExprList>(kNoLocation);
  out->items = exprs(reinterpret_cast<const ::List*>(node));
  return out;
}

const Expr* TreeConverter::boolean(const ::BoolExpr& in) {
  auto* out = make<BooleanExpr>(in.location);
  switch (in.boolop) {
    case AND_EXPR: out->op = BooleanOperator::and_; break;
    case OR_EXPR: out->op = BooleanOperator::or_; break;
    case NOT_EXPR: out->op = BooleanOperator::not_; break;
    default: unknown("BoolExpr.boolop", in.location);
  }
  out->args = exprs(in.args);
  return out;
}

const Expr* TreeConverter::function_call(const ::FuncCall& in) {
  auto* out = make<FunctionCall>(in.location);
  out->name = names(in.funcname);
  out->args = exprs(in.args);
  out->order_by = sort_items(in.agg_order);
  out->filter = optional_expr(in.agg_filter);
  out->over = in.over == nullptr ? nullptr : window(*in.over);
  out->within_group = in.agg_within_group;
  out->star = in.agg_star;
  out->distinct = in.agg_distinct;
  out->variadic = in.func_variadic;
  out->sql_syntax = in.funcformat == COERCE_SQL_SYNTAX;
  if (in.funcformat != COERCE_SQL_SYNTAX && in.funcformat != COERCE_EXPLICIT_CALL) {
    unknown("FuncCall.funcformat", in.location);
  }
  return out;
}

const Expr* TreeConverter::cast(const ::TypeCast& in) {
  auto* out = make<TypeCast>(in.location);
  out->arg = expr(in.arg);
  out->type = type_name(in.typeName);
  return out;
}

const Expr* TreeConverter::case_expr(const ::CaseExpr& in) {
  auto* out = make<CaseExpr>(in.location);
  out->arg = optional_expr(as_node(in.arg));
  out->whens = list<CaseWhen>(in.args, [this](const ::Node* node) {
    CaseWhen when;
    if (const auto* in_when = expect<::CaseWhen>(node, T_CaseWhen, "CaseExpr.args")) {
      when.condition = expr(as_node(in_when->expr));
      when.result = expr(as_node(in_when->result));
      when.location = in_when->location;
    }
    return when;
  });
  out->otherwise = optional_expr(as_node(in.defresult));
  return out;
}

const Expr* TreeConverter::sub_link(const ::SubLink& in) {
  auto* out = make<SubLink>(in.location);
  if (auto form = sub_link_kind(in.subLinkType)) {
    out->form = *form;
  } else {
    unknown("SubLink.subLinkType", in.location);
  }
  out->test = optional_expr(in.testexpr);
  out->operator_name = names(in.operName);
  out->query = select(in.subselect);
  return out;
}

const Expr* TreeConverter::null_test(const ::NullTest& in) {
  auto* out = make<NullTest>(in.location);
  out->arg = expr(as_node(in.arg));
  out->is_null = in.nulltesttype == IS_NULL;
  return out;
}

const Expr* TreeConverter::boolean_test(const ::BooleanTest& in) {
  auto* out = make<BooleanTest>(in.location);
  out->arg = expr(as_node(in.arg));
  if (auto test = boolean_test_kind(in.booltesttype)) {
    out->test = *test;
  } else {
    unknown("BooleanTest.booltesttype", in.location);
  }
  return out;
}

const CollateExpr* TreeConverter::collate(const ::CollateClause& in) {
  auto* out = make<CollateExpr>(in.location);
  out->arg = optional_expr(in.arg);
  out->collation = names(in.collname);
  return out;
}

const Expr* TreeConverter::sql_value(const ::SQLValueFunction& in) {
  auto* out = make<SqlValueFunction>(in.location);
  out->name = sql_value_name(in.op);
  if (out->name.empty()) unknown("SQLValueFunction.op", in.location);
  return out;
}

const Expr* TreeConverter::indirection_expr(const ::A_Indirection& in) {
  auto* out = make<IndirectionExpr>(kNoLocation);
  out->arg = expr(in.arg);
  out->steps = indirection(in.indirection);
  return out;
}

List<Indirection> TreeConverter::indirection(const ::List* in) {
  return list<Indirection>(in, [this](const ::Node* node) {
    Indirection step;
    if (node != nullptr && nodeTag(node) == T_String) {
      step.field = text(node_as<::String>(node).sval);
    } else if (node != nullptr && nodeTag(node) == T_A_Star) {
      step.kind = Indirection::Kind::star;
    } else if (const auto* indices = expect<::A_Indices>(node, T_A_Indices, "A_Indirection.indirection")) {
      step.kind = indices->is_slice ? Indirection::Kind::slice : Indirection::Kind::subscript;
      step.lower = optional_expr(indices->lidx);
      step.upper = optional_expr(indices->uidx);
    }
    return step;
  });
}

const Expr* TreeConverter::grouping_set(const ::GroupingSet& in) {
  auto* out = make<GroupingSet>(in.location);
  if (auto form = grouping_set_kind(in.kind)) {
    out->form = *form;
  } else {
    unknown("GroupingSet.kind", in.location);
  }
  out->content = exprs(in.content);
  return out;
}

const Expr* TreeConverter::xml(const ::XmlExpr& in) {
  auto* out = make<XmlExpr>(in.location);
  if (auto op = xml_operator(in.op)) {
    out->op = *op;
  } else {
    unknown("XmlExpr.op", in.location);
  }
  out->name = text(in.name);
  out->named_args = targets(in.named_args);
  out->args = exprs(in.args);
  if (in.arg_names != nullptr) unknown("XmlExpr.arg_names", in.location);
  return out;
}

const Expr* TreeConverter::xml_serialize(const ::XmlSerialize& in) {
  auto* out = make<XmlSerialize>(in.location);
  out->arg = expr(in.expr);
  out->type = type_name(in.typeName);
  return out;
}

const Expr* TreeConverter::multi_assign(const ::MultiAssignRef& in) {
  auto* out = make<MultiAssign>(kNoLocation);
  if (in.source == nullptr || in.source != last_source_) {
    last_source_expr_ = expr(in.source);
    last_source_ = in.source;
  }
  out->source = last_source_expr_;
  out->column = in.colno;
  out->columns = in.ncolumns;
  return out;
}

const Window* TreeConverter::window(const ::WindowDef& in) {
  auto* out = arena_.make<Window>();
  out->name = text(in.name);
  out->references = text(in.refname);
  out->partition_by = exprs(in.partitionClause);
  out->order_by = sort_items(in.orderClause);
  out->frame_options = in.frameOptions;
  out->start_offset = optional_expr(in.startOffset);
  out->end_offset = optional_expr(in.endOffset);
  out->location = in.location;
  return out;
}

const TypeName* TreeConverter::type_name(const ::TypeName* in) {
  auto* out = arena_.make<TypeName>();
  if (in == nullptr) {
    unknown("missing TypeName");
    return out;
  }
  out->names = names(in->names);
  out->typmods = exprs(in->typmods);
  out->array_bounds = list<std::int32_t>(in->arrayBounds, [this](const ::Node* node) {
    const auto* bound = expect<::Integer>(node, T_Integer, "TypeName.arrayBounds");
    return bound == nullptr ? -1 : bound->ival;
  });
  out->setof = in->setof;
  out->percent_type = in->pct_type;
  out->location = in->location;
  if (in->typeOid != 0) unknown("TypeName.typeOid", in->location);
  return out;
}

SortItem TreeConverter::sort_item(const ::Node* node) {
  SortItem out;
  const auto* in = expect<::SortBy>(node, T_SortBy, "sortClause");
  if (in == nullptr) return out;
  out.expr = expr(in->node);
  switch (in->sortby_dir) {
    case SORTBY_DEFAULT: break;
    case SORTBY_ASC: out.direction = SortDirection::ascending; break;
    case SORTBY_DESC: out.direction = SortDirection::descending; break;
    case SORTBY_USING: out.direction = SortDirection::using_operator; break;
    default: unknown("SortBy.sortby_dir", in->location);
  }
  switch (in->sortby_nulls) {
    case SORTBY_NULLS_DEFAULT: break;
    case SORTBY_NULLS_FIRST: out.nulls = SortNulls::first; break;
    case SORTBY_NULLS_LAST: out.nulls = SortNulls::last; break;
    default: unknown("SortBy.sortby_nulls", in->location);
  }
  out.using_operator = names(in->useOp);
  out.location = in->location;
  return out;
}

List<SortItem> TreeConverter::sort_items(const ::List* in) {
  if (!fits(in, limits_.list_items, "items in ORDER BY")) return {};
  return list<SortItem>(in, [this](const ::Node* node) { return sort_item(node); });
}

Names TreeConverter::names(const ::List* in) {
  return list<std::string_view>(in, [this](const ::Node* node) {
    const auto* part = expect<::String>(node, T_String, "name");
    return part == nullptr ? std::string_view{} : text(part->sval);
  });
}

}  // namespace sluice::postgres::sql
