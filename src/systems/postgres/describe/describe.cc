#include "systems/postgres/describe/describe.h"
#include <algorithm>
#include <set>
#include "systems/postgres/describe/settings.h"
#include "systems/postgres/rewrite/visit.h"
#include "systems/postgres/sql/fingerprint.h"
#include "systems/postgres/sql/names.h"
namespace sluice::postgres {
namespace {
using namespace sql;
template <class T>
const T& as(const auto& n) {
  return static_cast<const T&>(n);
}
struct Walk : rewrite::Visitor {
  const DescribeContext& c;
  Operation& op;
  bool system = false, gathers = false, user = false, other_agg = false, count_only = true;
  int aggs = 0;
  int reads = 0;
  bool writes = false, removes = false, schema = false;
  std::set<std::string> seen;
  std::vector<std::string_view> columns;
  bool star = false;
  std::vector<const Relation*> rels;
  std::vector<std::string> unvouched;
  Walk(const DescribeContext& cc, Operation& o) : c(cc), op(o) {}
  void on_relation(const RangeVar& r, rewrite::RelationRole role, bool cte) override {
    if (cte) return;
    const auto* rel = c.catalogue.find_relation(c.search_path, r.schema, r.name);
    if (!rel) {
      if (role != rewrite::RelationRole::defined && op.missing_relation.empty())
        op.missing_relation = std::string(r.name);
      if (role == rewrite::RelationRole::defined) {
        op.collections.push_back({r.schema.empty() ? "public." + std::string(r.name)
                                                   : std::string(r.schema) + "." + std::string(r.name),
                                  Access::define,
                                  {},
                                  {},
                                  false});
      }
      return;
    }
    if (rel->system) {
      system = true;
      return;
    }
    user = true;
    Access a = role == rewrite::RelationRole::read      ? Access::read
               : role == rewrite::RelationRole::written ? Access::write
                                                        : Access::define;
    if (a == Access::read) {
      ++reads;
      rels.push_back(rel);
    }
    for (auto& u : op.collections)
      if (u.name == rel->qualified_name()) {
        u.access = u.access | a;
        return;
      }
    op.collections.push_back({rel->qualified_name(), a, {}, {}, false});
  }
  void on_statement(const Statement& s) override {
    switch (s.kind) {
      case StatementKind::insert:
      case StatementKind::update:
      case StatementKind::merge: writes = true; break;
      case StatementKind::delete_: removes = true; break;
      case StatementKind::create_table_as: schema = true; break;
      default: break;
    }
  }
  void on_expr(const Expr& e) override {
    if (e.kind == ExprKind::column) {
      auto& r = as<ColumnRef>(e);
      if (r.star)
        star = true;
      else
        columns.push_back(r.parts.back());
    }
    if (e.kind == ExprKind::sub_link && as<SubLink>(e).form == SubLinkKind::array) gathers = true;
    if (e.kind == ExprKind::call) {
      auto& f = as<FunctionCall>(e);
      auto ch = c.catalogue.find_function(
          c.search_path, f.name.size() > 1 ? f.name[f.name.size() - 2] : std::string_view{}, f.name.back());
      switch (ch.facts.cls) {
        case FunctionClass::aggregate:
          ++aggs;
          if (f.name.back() != "count") count_only = false;
          break;
        case FunctionClass::value_aggregate:
          ++aggs;
          count_only = false;
          if (f.name.back() == "min" || f.name.back() == "max") other_agg = true;
          gathers = true;
          break;
        case FunctionClass::dangerous:
        case FunctionClass::unvouched: {
          auto n = (ch.schema.empty() ? std::string("?") : ch.schema) + "." + std::string(f.name.back());
          if (!(c.vouched && c.vouched->contains(ch.schema, f.name.back()))) {
            op.functions.push_back(n);
            if (op.unknown_reason.empty())
              op.unknown_reason = "it calls function " + n + ", which nobody vouches for";
          }
        } break;
        default: break;
      }
    }
    if (e.kind == ExprKind::operation) {
      auto& o = as<OperatorExpr>(e);
      if (auto d = distance_operator(o.symbol())) vector_op(o, d->metric);
    }
  }
  void vector_op(const OperatorExpr& o, std::string_view metric) {
    for (const auto* side : {o.left, o.right})
      if (side && side->kind == ExprKind::column) {
        auto col =
            as<ColumnRef>(*side).parts.empty() ? std::string_view{} : as<ColumnRef>(*side).parts.back();
        for (const auto* r : rels)
          if (r->column(col)) {
            VectorSearch v;
            v.collection = r->qualified_name();
            v.field = col;
            v.metric = metric;
            op.searches.push_back(v);
            return;
          }
      }
  }
};
std::optional<std::uint64_t> limit_of(const SelectStatement& s, const DescribeContext& c, bool& param) {
  if (!s.limit || s.with_ties) return std::nullopt;
  const Expr* e = s.limit;
  while (e->kind == ExprKind::cast) e = as<TypeCast>(*e).arg;
  if (e->kind == ExprKind::constant) {
    auto& k = as<Constant>(*e);
    if (k.value_kind == ConstantKind::integer) return k.integer < 0 ? 0 : k.integer;
    return std::nullopt;
  }
  if (e->kind == ExprKind::parameter) {
    param = true;
    auto n = as<ParamRef>(*e).number;
    if (n >= 1 && (size_t)n <= c.parameters.size()) {
      auto& p = c.parameters[n - 1];
      if (p.state == Parameter::State::text) return strtoull(std::string(p.bytes).c_str(), nullptr, 10);
      if (p.state == Parameter::State::binary) {
        uint64_t v = 0;
        for (unsigned char b : p.bytes) v = v << 8 | b;
        return v;
      }
    }
  }
  return std::nullopt;
}
bool key_equality(const Expr* w, const Relation& r) {
  std::set<int16_t> eq;
  std::function<void(const Expr*)> go = [&](const Expr* e) {
    if (!e) return;
    if (e->kind == ExprKind::boolean && as<BooleanExpr>(*e).op == BooleanOperator::and_) {
      for (auto* a : as<BooleanExpr>(*e).args) go(a);
      return;
    }
    if (e->kind == ExprKind::operation) {
      auto& o = as<OperatorExpr>(*e);
      if (o.form == OperatorKind::plain && o.symbol() == "=" && o.left && o.right)
        for (auto [a, b] : {std::pair{o.left, o.right}, std::pair{o.right, o.left}}) {
          auto* v = b;
          while (v->kind == ExprKind::cast) v = as<TypeCast>(*v).arg;
          if (a->kind == ExprKind::column &&
              (v->kind == ExprKind::constant || v->kind == ExprKind::parameter))
            if (auto* col = r.column(as<ColumnRef>(*a).parts.back())) eq.insert(col->attnum);
        }
    }
  };
  go(w);
  for (auto& i : r.indexes)
    if (i.unique && !i.key.empty() && std::ranges::all_of(i.key, [&](auto k) { return eq.contains(k); }))
      return true;
  return false;
}
void read_verb(const SelectStatement& s, Walk& w, const DescribeContext& c, Operation& op) {
  if (!w.user) {
    op.verb = w.system ? Verb::metadata : Verb::session;
    return;
  }
  bool param = false;
  auto limit = limit_of(s, c, param);
  op.records.from_parameter = param;
  const bool plain =
      s.from.size() == 1 && s.from[0]->kind == FromKind::relation && s.set_operation == SetOperation::none;
  if (w.aggs && !w.gathers && s.group_by.empty()) {
    op.verb = w.count_only ? Verb::count : Verb::aggregate;
    op.records.max = 0;
    return;
  }
  op.verb = Verb::scroll;
  if (plain && w.rels.size() == 1 && key_equality(s.where, *w.rels[0])) {
    op.verb = Verb::fetch;
    if (!w.gathers) op.records.max = 1;
    return;
  }
  bool ordered = false;
  for (auto& o : s.order_by)
    if (o.expr && o.expr->kind == ExprKind::operation &&
        distance_operator(as<OperatorExpr>(*o.expr).symbol()))
      ordered = true;
  if (!op.searches.empty() && s.limit && (ordered || !s.order_by.empty())) op.verb = Verb::search;
  if (limit && !w.gathers) op.records.max = *limit * std::max<std::size_t>(1, w.rels.size());
}
}  // namespace

Operation describe(const ParsedStatement& ps, const DescribeContext& c) {
  Operation op;
  op.system = "postgres";
  op.text = ps.text;
  op.fingerprint = fingerprint(*ps.body);
  const Statement* s = ps.body;
  Walk w{c, op};
  op.statement_class = "STATEMENT";
  if (!ps.unknowns.empty()) {
    op.verb = Verb::unknown;
    op.unknown_reason = "it holds " + std::string(ps.unknowns[0].what) + ", which is not understood";
    return op;
  }
  if (s->kind == StatementKind::execute || s->kind == StatementKind::fetch) {
    auto n = c.names ? (s->kind == StatementKind::execute ? c.names->prepared(as<ExecuteStatement>(*s).name)
                                                          : c.names->cursor(as<FetchStatement>(*s).cursor))
                     : std::nullopt;
    if (!n) {
      op.verb = Verb::session;
      return op;
    }
    ParsedStatement inner = ps;
    inner.body = n->body;
    inner.unknowns = n->unknowns;
    auto o = describe(inner, c);
    o.text = ps.text;
    if (s->kind == StatementKind::fetch) {
      auto& f = as<FetchStatement>(*s);
      if (!f.all) o.records.max = std::abs(f.count);
    }
    return o;
  }
  if (s->kind == StatementKind::prepare) {
    ParsedStatement inner = ps;
    inner.body = as<PrepareStatement>(*s).query;
    return describe(inner, c);
  }
  if (s->kind == StatementKind::declare_cursor) {
    ParsedStatement inner = ps;
    inner.body = as<DeclareCursorStatement>(*s).query;
    return describe(inner, c);
  }
  if (s->kind == StatementKind::explain) {
    ParsedStatement inner = ps;
    inner.body = as<ExplainStatement>(*s).query;
    auto o = describe(inner, c);
    if (!as<ExplainStatement>(*s).analyze) o.records.max = 0;
    return o;
  }
  rewrite::visit(*s, w);
  if (!op.missing_relation.empty() && s->kind != StatementKind::create_table &&
      s->kind != StatementKind::drop) {
    op.verb = Verb::unknown;
    op.unknown_reason = "relation " + op.missing_relation;
    return op;
  }
  op.missing_relation.clear();
  for (auto& u : op.collections)
    if (has(u.access, Access::read)) {
      u.all_fields = w.star;
      for (auto col : w.columns) u.output_fields.emplace_back(col);
    }
  switch (s->kind) {
    case StatementKind::select: {
      op.statement_class = "SELECT";
      auto& q = as<SelectStatement>(*s);
      if (q.into || w.schema)
        op.verb = Verb::schema;
      else if (w.removes)
        op.verb = Verb::remove;
      else if (w.writes)
        op.verb = Verb::write;
      else
        read_verb(q, w, c, op);
      break;
    }
    case StatementKind::insert:
    case StatementKind::update:
    case StatementKind::merge:
      op.statement_class = "WRITE";
      op.verb = Verb::write;
      break;
    case StatementKind::delete_:
    case StatementKind::truncate: op.verb = Verb::remove; break;
    case StatementKind::copy: {
      auto& k = as<CopyStatement>(*s);
      op.statement_class = "COPY";
      op.verb = (!k.file.empty() || k.program) ? Verb::admin : k.from ? Verb::write : Verb::export_;
      break;
    }
    case StatementKind::transaction:
    case StatementKind::variable_set:
    case StatementKind::variable_show:
    case StatementKind::discard:
    case StatementKind::deallocate:
    case StatementKind::close_portal:
    case StatementKind::listen:
    case StatementKind::unlisten:
    case StatementKind::notify: op.verb = Verb::session; break;
    case StatementKind::create_table_as:
    case StatementKind::view:
    case StatementKind::create_table:
    case StatementKind::create_index:
    case StatementKind::create_extension:
    case StatementKind::create_schema:
    case StatementKind::alter_table:
    case StatementKind::rename:
    case StatementKind::comment:
    case StatementKind::drop:
    case StatementKind::create_function:
    case StatementKind::refresh_view: op.verb = Verb::schema; break;
    case StatementKind::lock: op.verb = Verb::session; break;
    case StatementKind::grant:
    case StatementKind::grant_role:
    case StatementKind::vacuum:
    case StatementKind::checkpoint: op.verb = Verb::admin; break;
    default:
      op.verb = Verb::unknown;
      op.unknown_reason = "this statement is not understood";
      return op;
  }
  if (!op.unknown_reason.empty()) op.verb = Verb::unknown;
  return op;
}
Operation describe_unparsed(std::string_view text, const ParseError& e) {
  Operation op;
  op.system = "postgres";
  op.text = text;
  op.unknown_reason = e.message;
  return op;
}
SettingChanges setting_changes(const Statement& s) {
  SettingChanges out;
  if (s.kind == StatementKind::variable_set) {
    auto& v = as<VariableSetStatement>(s);
    if (v.action == SetKind::reset_all) {
      out.changes.push_back({"all", true, "", false});
      return out;
    }
    if (v.action == SetKind::multi) return out;
    SettingChanges::Change ch;
    ch.name = v.name;
    std::ranges::transform(ch.name, ch.name.begin(), [](char x) { return (char)tolower(x); });
    ch.reset = v.action != SetKind::value;
    ch.local = v.local;
    for (auto* a : v.args) {
      const Expr* e = a;
      while (e->kind == ExprKind::cast) e = as<TypeCast>(*e).arg;
      if (e->kind == ExprKind::constant) {
        if (!ch.value.empty()) ch.value += ", ";
        auto& k = as<Constant>(*e);
        ch.value += k.value_kind == ConstantKind::integer || k.value_kind == ConstantKind::boolean
                        ? std::to_string(k.integer)
                        : std::string(k.text);
      }
    }
    out.changes.push_back(ch);
  }
  if (s.kind == StatementKind::discard && as<DiscardStatement>(s).target == DiscardTarget::all)
    out.changes.push_back({"all", true, "", false});
  return out;
}
}  // namespace sluice::postgres
