// Which statement it is, and those that are neither data nor schema: sessions, cursors, maintenance.
#include <climits>

#include "systems/postgres/sql/pg_tree.h"

namespace sluice::postgres::sql {
namespace {

template <class T>
const T& node_as(const ::Node* node) {
  return *reinterpret_cast<const T*>(node);
}

// Bits of DeclareCursorStmt.options (parsenodes.h), written out because they are macros there.
constexpr int kCursorBinary = 0x0001;
constexpr int kCursorScroll = 0x0002;
constexpr int kCursorNoScroll = 0x0004;
constexpr int kCursorInsensitive = 0x0008;
constexpr int kCursorHold = 0x0020;

// As PostgreSQL reads a boolean option: none is true. What it would reject counts as true.
bool is_on(const DefinedOption& option) {
  if (option.value_kind == DefinedOption::ValueKind::integer ||
      option.value_kind == DefinedOption::ValueKind::boolean) {
    return option.integer != 0;
  }
  if (option.value_kind == DefinedOption::ValueKind::text)
    return option.text != "false" && option.text != "off";
  return true;
}

}  // namespace

const Statement* TreeConverter::statement(const ::Node* node) {
  Level level(*this);
  if (!level || node == nullptr) return other(nullptr);
  switch (nodeTag(node)) {
    case T_SelectStmt: return select(node);
    case T_InsertStmt: return insert(node_as<::InsertStmt>(node));
    case T_UpdateStmt: return update(node_as<::UpdateStmt>(node));
    case T_DeleteStmt: return delete_from(node_as<::DeleteStmt>(node));
    case T_MergeStmt: return merge(node_as<::MergeStmt>(node));
    case T_CopyStmt: return copy(node_as<::CopyStmt>(node));
    default: return utility(node);
  }
}

const Statement* TreeConverter::utility(const ::Node* node) {
  switch (nodeTag(node)) {
    case T_PrepareStmt:
    case T_ExecuteStmt:
    case T_DeallocateStmt:
    case T_DeclareCursorStmt:
    case T_FetchStmt:
    case T_ClosePortalStmt: return cursor_statement(node);
    case T_ExplainStmt: return explain(node_as<::ExplainStmt>(node));
    case T_TransactionStmt: return transaction(node_as<::TransactionStmt>(node));
    case T_VariableSetStmt: return variable_set(node_as<::VariableSetStmt>(node));
    case T_VariableShowStmt:
    case T_DiscardStmt:
    case T_ListenStmt:
    case T_NotifyStmt:
    case T_UnlistenStmt:
    case T_LockStmt: return session_statement(node);
    case T_VacuumStmt:
    case T_RefreshMatViewStmt:
    case T_CheckPointStmt:
    case T_DoStmt:
    case T_CallStmt: return maintenance(node);
    default: return schema_statement(node);
  }
}

const Statement* TreeConverter::cursor_statement(const ::Node* node) {
  switch (nodeTag(node)) {
    case T_PrepareStmt: {
      const auto& in = node_as<::PrepareStmt>(node);
      auto* out = make_statement<PrepareStatement>();
      out->name = text(in.name);
      out->types = list<const TypeName*>(in.argtypes, [this](const ::Node* type) {
        return type_name(expect<::TypeName>(type, T_TypeName, "PrepareStmt.argtypes"));
      });
      out->query = statement(in.query);
      return out;
    }
    case T_ExecuteStmt: {
      const auto& in = node_as<::ExecuteStmt>(node);
      auto* out = make_statement<ExecuteStatement>();
      out->name = text(in.name);
      out->arguments = exprs(in.params);
      return out;
    }
    case T_DeallocateStmt: {
      const auto& in = node_as<::DeallocateStmt>(node);
      auto* out = make_statement<DeallocateStatement>();
      out->all = in.name == nullptr;
      out->name = text(in.name);
      return out;
    }
    case T_DeclareCursorStmt: {
      const auto& in = node_as<::DeclareCursorStmt>(node);
      auto* out = make_statement<DeclareCursorStatement>();
      out->name = text(in.portalname);
      out->binary = (in.options & kCursorBinary) != 0;
      out->scroll = (in.options & kCursorScroll) != 0;
      out->no_scroll = (in.options & kCursorNoScroll) != 0;
      out->insensitive = (in.options & kCursorInsensitive) != 0;
      out->hold = (in.options & kCursorHold) != 0;
      out->query = statement(in.query);
      return out;
    }
    case T_FetchStmt: {
      const auto& in = node_as<::FetchStmt>(node);
      auto* out = make_statement<FetchStatement>();
      switch (in.direction) {
        case FETCH_FORWARD: break;
        case FETCH_BACKWARD: out->direction = FetchDirection::backward; break;
        case ::FETCH_ABSOLUTE: out->direction = FetchDirection::absolute; break;
        case ::FETCH_RELATIVE: out->direction = FetchDirection::relative; break;
        default: unknown("FetchStmt.direction");
      }
      out->all = in.howMany == LONG_MAX;  // FETCH_ALL
      out->count = in.howMany;
      out->cursor = text(in.portalname);
      out->move = in.ismove;
      return out;
    }
    default: {
      const auto& in = node_as<::ClosePortalStmt>(node);
      auto* out = make_statement<ClosePortalStatement>();
      out->all = in.portalname == nullptr;
      out->name = text(in.portalname);
      return out;
    }
  }
}

const Statement* TreeConverter::explain(const ::ExplainStmt& in) {
  auto* out = make_statement<ExplainStatement>();
  out->query = statement(in.query);
  out->options = options(in.options);
  for (const auto& option : out->options) {
    if (option.name == "analyze" && is_on(option)) out->analyze = true;
  }
  return out;
}

const Statement* TreeConverter::transaction(const ::TransactionStmt& in) {
  auto* out = make_statement<TransactionStatement>();
  out->options = options(in.options);
  out->name = text(in.savepoint_name != nullptr ? in.savepoint_name : in.gid);
  out->chain = in.chain;
  switch (in.kind) {
    case TRANS_STMT_BEGIN: break;
    case TRANS_STMT_START: out->action = TransactionKind::start; break;
    case TRANS_STMT_COMMIT: out->action = TransactionKind::commit; break;
    case TRANS_STMT_ROLLBACK: out->action = TransactionKind::rollback; break;
    case TRANS_STMT_SAVEPOINT: out->action = TransactionKind::savepoint; break;
    case TRANS_STMT_RELEASE: out->action = TransactionKind::release; break;
    case TRANS_STMT_ROLLBACK_TO: out->action = TransactionKind::rollback_to; break;
    case TRANS_STMT_PREPARE: out->action = TransactionKind::prepare; break;
    case TRANS_STMT_COMMIT_PREPARED: out->action = TransactionKind::commit_prepared; break;
    case TRANS_STMT_ROLLBACK_PREPARED: out->action = TransactionKind::rollback_prepared; break;
    default: unknown("TransactionStmt.kind");
  }
  return out;
}

const Statement* TreeConverter::variable_set(const ::VariableSetStmt& in) {
  auto* out = make_statement<VariableSetStatement>();
  out->name = text(in.name);
  out->local = in.is_local;
  switch (in.kind) {
    case VAR_SET_VALUE: break;
    case VAR_SET_DEFAULT: out->action = SetKind::to_default; break;
    case VAR_SET_CURRENT: out->action = SetKind::from_current; break;
    case VAR_SET_MULTI: out->action = SetKind::multi; break;
    case VAR_RESET: out->action = SetKind::reset; break;
    case VAR_RESET_ALL: out->action = SetKind::reset_all; break;
    default: unknown("VariableSetStmt.kind");
  }
  // SET TRANSACTION has options (its SNAPSHOT form a constant), everything else expressions.
  if (in.kind == VAR_SET_MULTI && list_length(in.args) > 0 && nodeTag(linitial(in.args)) == T_DefElem) {
    out->options = options(in.args);
  } else {
    out->args = exprs(in.args);
  }
  return out;
}

const Statement* TreeConverter::session_statement(const ::Node* node) {
  switch (nodeTag(node)) {
    case T_VariableShowStmt: {
      auto* out = make_statement<VariableShowStatement>();
      out->name = text(node_as<::VariableShowStmt>(node).name);
      return out;
    }
    case T_DiscardStmt: {
      auto* out = make_statement<DiscardStatement>();
      switch (node_as<::DiscardStmt>(node).target) {
        case DISCARD_ALL: break;
        case DISCARD_PLANS: out->target = DiscardTarget::plans; break;
        case DISCARD_SEQUENCES: out->target = DiscardTarget::sequences; break;
        case DISCARD_TEMP: out->target = DiscardTarget::temp; break;
        default: unknown("DiscardStmt.target");
      }
      return out;
    }
    case T_ListenStmt: {
      auto* out = make_statement<ListenStatement>();
      out->channel = text(node_as<::ListenStmt>(node).conditionname);
      return out;
    }
    case T_NotifyStmt: {
      auto* out = make_statement<NotifyStatement>();
      out->channel = text(node_as<::NotifyStmt>(node).conditionname);
      out->payload = text(node_as<::NotifyStmt>(node).payload);
      return out;
    }
    case T_UnlistenStmt: {
      auto* out = make_statement<UnlistenStatement>();
      out->all = node_as<::UnlistenStmt>(node).conditionname == nullptr;
      out->channel = text(node_as<::UnlistenStmt>(node).conditionname);
      return out;
    }
    default: {
      const auto& in = node_as<::LockStmt>(node);
      auto* out = make_statement<LockStatement>();
      out->relations = relations(in.relations);
      out->mode = in.mode;
      out->nowait = in.nowait;
      return out;
    }
  }
}

const Statement* TreeConverter::maintenance(const ::Node* node) {
  switch (nodeTag(node)) {
    case T_VacuumStmt: {
      const auto& in = node_as<::VacuumStmt>(node);
      auto* out = make_statement<VacuumStatement>();
      out->vacuum = in.is_vacuumcmd;
      out->options = options(in.options);
      out->targets = list<VacuumTarget>(in.rels, [this](const ::Node* rel) {
        VacuumTarget to;
        if (const auto* from = expect<::VacuumRelation>(rel, T_VacuumRelation, "VacuumStmt.rels")) {
          to.relation = relation(from->relation);
          to.columns = names(from->va_cols);
        } else {
          to.relation = relation(nullptr);
        }
        return to;
      });
      return out;
    }
    case T_RefreshMatViewStmt: {
      const auto& in = node_as<::RefreshMatViewStmt>(node);
      auto* out = make_statement<RefreshViewStatement>();
      out->relation = relation(in.relation);
      out->concurrently = in.concurrent;
      out->with_no_data = in.skipData;
      return out;
    }
    case T_CheckPointStmt: return make_statement<CheckpointStatement>();
    case T_DoStmt: {
      auto* out = make_statement<DoStatement>();
      for (const auto& option : options(node_as<::DoStmt>(node).args)) {
        if (option.name == "as") {
          out->code = option.text;
        } else if (option.name == "language") {
          out->language = option.text;
        } else {
          unknown("DoStmt.args", option.location);
        }
      }
      return out;
    }
    default: {
      auto* out = make_statement<CallStatement>();
      const auto* call = node_as<::CallStmt>(node).funccall;
      if (call == nullptr) {
        unknown("CallStmt.funccall");
        out->call = make<FunctionCall>(kNoLocation);
      } else {
        out->call = static_cast<const FunctionCall*>(function_call(*call));
      }
      return out;
    }
  }
}

DefinedOption TreeConverter::option(const ::Node* node) {
  using Kind = DefinedOption::ValueKind;
  DefinedOption out;
  const auto* in = expect<::DefElem>(node, T_DefElem, "options");
  if (in == nullptr) return out;
  out.space = text(in->defnamespace);
  out.name = text(in->defname);
  out.location = in->location;
  switch (in->defaction) {
    case DEFELEM_UNSPEC: break;
    case DEFELEM_SET: out.action = DefinedOption::Action::set; break;
    case DEFELEM_ADD: out.action = DefinedOption::Action::add; break;
    case DEFELEM_DROP: out.action = DefinedOption::Action::drop; break;
    default: unknown("DefElem.defaction", in->location);
  }
  if (in->arg == nullptr) return out;
  switch (nodeTag(in->arg)) {
    case T_String:
      out.value_kind = Kind::text;
      out.text = text(node_as<::String>(in->arg).sval);
      break;
    case T_Integer:
      out.value_kind = Kind::integer;
      out.integer = node_as<::Integer>(in->arg).ival;
      break;
    case T_Float:
      out.value_kind = Kind::number;
      out.text = text(node_as<::Float>(in->arg).fval);
      break;
    case T_Boolean:
      out.value_kind = Kind::boolean;
      out.integer = node_as<::Boolean>(in->arg).boolval ? 1 : 0;
      break;
    case T_TypeName:
      out.value_kind = Kind::names;
      out.names = names(node_as<::TypeName>(in->arg).names);
      break;
    case T_List: {
      const auto& items = node_as<::List>(in->arg);
      bool strings = true;
      for (int i = 0; i < items.length; ++i) {
        const auto* item = static_cast<const ::Node*>(items.elements[i].ptr_value);
        strings = strings && item != nullptr && nodeTag(item) == T_String;
      }
      out.value_kind = strings ? Kind::names : Kind::other;
      if (strings) out.names = names(&items);
      break;
    }
    case T_A_Const: {
      const auto* value = static_cast<const Constant*>(constant(node_as<::A_Const>(in->arg)));
      out.value_kind = value->value_kind == ConstantKind::integer   ? Kind::integer
                       : value->value_kind == ConstantKind::boolean ? Kind::boolean
                       : value->value_kind == ConstantKind::text    ? Kind::text
                       : value->value_kind == ConstantKind::number  ? Kind::number
                                                                    : Kind::other;
      out.text = value->text;
      out.integer = value->integer;
      break;
    }
    default: out.value_kind = Kind::other;
  }
  if (out.text.empty() && !out.names.empty()) out.text = out.names.front();
  return out;
}

List<DefinedOption> TreeConverter::options(const ::List* in) {
  return list<DefinedOption>(in, [this](const ::Node* node) { return option(node); });
}

}  // namespace sluice::postgres::sql
