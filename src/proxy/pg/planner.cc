#include "proxy/pg/planner.h"

#include "proxy/pg/refusal.h"
#include "proxy/pg/session_settings.h"
#include "systems/postgres/describe/describe.h"
#include "systems/postgres/describe/recorded_text.h"
#include "systems/postgres/describe/settings.h"
#include "systems/postgres/rewrite/clamp.h"
#include "systems/postgres/rewrite/rewrite.h"
#include "systems/postgres/sql/names.h"
#include "systems/postgres/sql/tokens.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;
namespace sql = postgres::sql;
namespace rewrite = postgres::rewrite;
using sql::StatementKind;

ErrorFields render_parse_error(const sql::ParseError& error) {
  switch (error.kind) {
    case sql::ParseErrorKind::syntax: {
      auto fields = render_error(sqlstate::kSyntaxError, error.message);
      if (error.cursor > 0) fields.position = std::to_string(error.cursor);
      return fields;
    }
    case sql::ParseErrorKind::bad_text: return render_error("22021", error.message);
    case sql::ParseErrorKind::too_large:
    case sql::ParseErrorKind::too_deep: return render_error("54001", "sluice: " + error.message);
  }
  return render_error(sqlstate::kSyntaxError, error.message);
}

ErrorFields undefined_table(std::string_view name) {
  return render_error(sqlstate::kUndefinedTable, fmt::format("relation \"{}\" does not exist", name), {},
                      "Sluice knows it neither: names are resolved along the session's search_path.");
}

bool may_set(std::string_view setting) {
  const auto cls = classify_setting(setting);
  return cls == SettingClass::free || cls == SettingClass::path;
}

class Vouched final : public postgres::VouchedFunctions {
 public:
  explicit Vouched(const std::vector<std::string>& names) : names_(names) {}
  bool contains(std::string_view schema, std::string_view name) const override {
    return std::ranges::binary_search(names_, fmt::format("{}.{}", schema, name));
  }

 private:
  const std::vector<std::string>& names_;
};

// What names stand for in the session.
class SessionNames final : public postgres::StatementNames {
 public:
  explicit SessionNames(const Names& names) : names_(names) {}

  std::optional<postgres::NamedStatement> prepared(std::string_view name) const override {
    return named(find_prepared(name));
  }
  std::optional<postgres::NamedStatement> cursor(std::string_view name) const override {
    return named(find_cursor(name));
  }
  std::shared_ptr<const Plan> find_prepared(std::string_view name) const {
    const auto known = names_.statement(name);
    return known && !name.empty() ? known->plan : nullptr;
  }
  std::shared_ptr<const Plan> find_cursor(std::string_view name) const {
    const auto known = names_.portal(name);
    return known && !name.empty() ? known->plan : nullptr;
  }

  static std::optional<postgres::NamedStatement> named(const std::shared_ptr<const Plan>& plan) {
    if (!plan || plan->body == nullptr) return std::nullopt;
    return postgres::NamedStatement{plan->body, plan->statement->unknowns, {}};
  }

 private:
  const Names& names_;
};

template <class T>
const T& as(const sql::Statement& statement) {
  return static_cast<const T&>(statement);
}

// The text with one token replaced: the name of a prepared statement or cursor, which stands second (PREPARE
// n, EXECUTE n, DECLARE n, CLOSE n), third (DEALLOCATE PREPARE n) or last (FETCH ... n).
std::string with_name(std::string_view text, const sql::Statement& statement, std::string_view name) {
  sql::Token chosen;
  if (statement.kind == StatementKind::fetch) {
    for (auto token = sql::next_token(text, 0); token.kind != sql::TokenKind::end;
         token = sql::next_token(text, token.end)) {
      if (token.kind == sql::TokenKind::punctuation) continue;
      chosen = token;
    }
  } else {
    chosen = sql::next_token(text, sql::next_token(text, 0).end);
    if (statement.kind == StatementKind::deallocate) {
      const auto next = sql::next_token(text, chosen.end);
      if (next.kind == sql::TokenKind::word || next.kind == sql::TokenKind::quoted_identifier) chosen = next;
    }
  }
  std::string out{text.substr(0, chosen.begin)};
  out.append(sql::quote_identifier(name)).append(text.substr(chosen.end));
  return out;
}

PlanKind kind_of(const sql::Statement& statement, const Operation& operation) {
  switch (statement.kind) {
    case StatementKind::transaction:
      switch (as<sql::TransactionStatement>(statement).action) {
        case sql::TransactionKind::begin:
        case sql::TransactionKind::start: return PlanKind::begin;
        case sql::TransactionKind::commit: return PlanKind::commit;
        case sql::TransactionKind::rollback: return PlanKind::rollback;
        default: return PlanKind::other_transaction;
      }
    case StatementKind::variable_set: return PlanKind::set;
    case StatementKind::prepare: return PlanKind::prepare;
    case StatementKind::execute: return PlanKind::execute;
    case StatementKind::deallocate: return PlanKind::deallocate;
    case StatementKind::declare_cursor: return PlanKind::declare;
    case StatementKind::fetch: return PlanKind::fetch;
    case StatementKind::close_portal: return PlanKind::close_cursor;
    case StatementKind::copy:
      return as<sql::CopyStatement>(statement).from ? PlanKind::copy_in : PlanKind::copy_out;
    case StatementKind::discard:
      return as<sql::DiscardStatement>(statement).target == sql::DiscardTarget::all ? PlanKind::discard_all
                                                                                    : PlanKind::statement;
    default: break;
  }
  const bool defines = operation.verb == Verb::schema || std::ranges::count(operation.also, Verb::schema) > 0;
  return defines ? PlanKind::schema_change : PlanKind::statement;
}

bool may_write(const Operation& operation) {
  const auto writes = [](Verb verb) {
    return verb == Verb::write || verb == Verb::remove || verb == Verb::schema || verb == Verb::admin;
  };
  return writes(operation.verb) || std::ranges::any_of(operation.also, writes);
}

// A condition on a masked column sees masked values; without a word the empty answer would look like the
// truth.
// How many of a relation's masked columns the reply asks for.
std::uint32_t masked_output(const Operation& operation, const rewrite::MaskedUse& masked) {
  const auto use = std::ranges::find(operation.collections, masked.relation, &CollectionUse::name);
  if (use == operation.collections.end()) return 0;
  const auto count = use->all_fields
                         ? std::ssize(masked.columns)
                         : std::ranges::count_if(masked.columns, [&](const std::string& column) {
                             return std::ranges::find(use->output_fields, column) != use->output_fields.end();
                           });
  return static_cast<std::uint32_t>(count);
}

std::string warn_of_conditions(const std::vector<rewrite::MaskedUse>& uses) {
  std::string columns;
  for (const auto& use : uses) {
    for (const auto& column : use.in_conditions) {
      if (!columns.empty()) columns.append(", ");
      columns.append(use.relation).append(".").append(column);
    }
  }
  return columns.empty() ? columns : "sluice: a condition compares masked values of " + columns;
}

Denial refuse_setting(std::string_view name, std::string_view why) {
  return {Reason::protocol, "", fmt::format("the setting \"{}\" {}", name, why),
          "docs/postgres.md lists the settings that a session may change."};
}

}  // namespace

// --- one text
// -------------------------------------------------------------------------------------------------------

// Plans the statements of one text in order; names that an earlier one makes are known to the later ones.
class Planner::Work final : public postgres::StatementNames {
 public:
  Work(Planner& planner, const PlanContext& context, std::shared_ptr<const sql::ParsedSql> parsed)
      : planner_(planner),
        context_(context),
        parsed_(std::move(parsed)),
        basis_(planner.basis(context)),
        session_names_(context.names),
        vouched_(context.vouched_functions) {}

  std::expected<Plans, ErrorFields> run() {
    Plans plans;
    for (const auto& statement : parsed_->statements()) {
      auto plan = plan_one(statement);
      if (!plan) return std::unexpected(std::move(plan.error()));
      plans.push_back(std::move(*plan));
    }
    return plans;
  }

  std::optional<postgres::NamedStatement> prepared(std::string_view name) const override {
    return SessionNames::named(find_prepared(name));
  }
  std::optional<postgres::NamedStatement> cursor(std::string_view name) const override {
    return SessionNames::named(find_cursor(name));
  }

 private:
  using Planned = std::expected<std::shared_ptr<const Plan>, ErrorFields>;

  std::shared_ptr<const Plan> find_prepared(std::string_view name) const {
    if (const auto made = prepared_.find(name); made != prepared_.end()) return made->second;
    return session_names_.find_prepared(name);
  }
  std::shared_ptr<const Plan> find_cursor(std::string_view name) const {
    if (const auto made = cursors_.find(name); made != cursors_.end()) return made->second;
    return session_names_.find_cursor(name);
  }
  std::string upstream_prepared(std::string_view name) const {
    if (const auto made = upstream_.find(name); made != upstream_.end()) return made->second;
    const auto known = context_.names.statement(name);
    return known ? known->upstream_name : std::string{"slc_none"};
  }
  std::string upstream_cursor(std::string_view name) const {
    if (const auto made = upstream_.find(name); made != upstream_.end()) return made->second;
    const auto known = context_.names.portal(name);
    return known ? known->upstream_name : std::string{"slc_none"};
  }

  Planned plan_one(const sql::ParsedStatement& statement) {
    auto plan = std::make_shared<Plan>();
    plan->source = statement.text;
    plan->text = statement.text;
    plan->parsed = parsed_;
    plan->statement = &statement;
    plan->body = statement.body;
    plan->basis = basis_;
    const postgres::DescribeContext describing{.catalogue = *planner_.catalogue_,
                                               .search_path = planner_.search_path(),
                                               .parameters = {},
                                               .names = this,
                                               .vouched = &vouched_};
    auto operation = std::make_shared<Operation>(postgres::describe(statement, describing));
    if (!operation->missing_relation.empty()) {
      return std::unexpected(names_moved_.empty() ? undefined_table(operation->missing_relation)
                                                  : names_moved(operation->missing_relation));
    }
    plan->kind = kind_of(*statement.body, *operation);
    plan->writes = may_write(*operation);
    for (const auto& use : operation->collections) add_object(*plan, use.name);
    plan->operation = std::move(operation);
    if (auto error = check_settings(*plan)) return std::unexpected(std::move(*error));
    if (!plan->denial) {
      auto keys = planner_.carried_keys(*plan, *context_.masks);
      plan->carried = static_cast<std::uint16_t>(keys.size());
      if (auto error = apply_masks(*plan, keys)) return std::unexpected(std::move(*error));
      if (!plan->rewritten && !plan->denial && !keys.empty()) put_in(*plan, keys);
    }
    if (auto error = resolve_names(*plan)) return std::unexpected(std::move(*error));
    if (!names_moved_.empty() && !plan->denial && may_name_something(*plan)) {
      const auto& collections = plan->operation->collections;
      return std::unexpected(names_moved(collections.empty() ? "the names in it" : collections.front().name));
    }
    if (plan->kind == PlanKind::schema_change) names_moved_ = "changes the schema";
    if (plan->kind == PlanKind::discard_all || (plan->kind == PlanKind::set && may_be_path(plan->setting))) {
      names_moved_ = "changes the search_path";
    }
    return plan;
  }

  static bool may_be_path(std::string_view setting) { return setting.empty() || setting == "search_path"; }

  // Functions, operators and types are found along the search_path too, not only relations.
  static bool may_name_something(const Plan& plan) {
    switch (plan.kind) {
      // A definition behind a definition (types, then others): what it names of users' relations is in its
      // collections.
      case PlanKind::schema_change: return !plan.operation->collections.empty();
      case PlanKind::begin:
      case PlanKind::commit:
      case PlanKind::rollback:
      case PlanKind::other_transaction:
      case PlanKind::set:
      case PlanKind::deallocate:
      case PlanKind::close_cursor:
      case PlanKind::fetch:
      case PlanKind::discard_all: return false;
      default: return true;
    }
  }

  // All statements of a text are planned before the first of them runs. What a name means after one that
  // moves names about nobody knows yet.
  ErrorFields names_moved(std::string_view relation) const {
    return render_error(
        sqlstate::kFeatureNotSupported,
        fmt::format("sluice: an earlier statement of this query string {}, so that nobody can tell "
                    "beforehand what {} will be",
                    names_moved_, relation),
        {}, "Send the statements one by one.");
  }

  void add_object(Plan& plan, std::string_view collection) const {
    const auto dot = collection.find('.');
    const auto* relation =
        dot == std::string_view::npos
            ? nullptr
            : planner_.catalogue_->find_relation(planner_.search_path(), collection.substr(0, dot),
                                                 collection.substr(dot + 1));
    plan.objects.push_back(relation == nullptr ? std::string{collection}
                                               : fmt::format("{}#{}", collection, relation->oid));
  }

  // --- settings ---

  std::optional<ErrorFields> check_settings(Plan& plan) const {
    const auto changes = postgres::setting_changes(*plan.body);
    if (changes.computed) {
      plan.denial = refuse_setting("?", "is computed, so nobody can tell which one it is");
      return std::nullopt;
    }
    for (const auto& change : changes.changes) {
      if (change.name == "all") continue;  // back to what the start-up packet pinned
      switch (classify_setting(change.name)) {
        case SettingClass::free:
        case SettingClass::path: break;
        case SettingClass::pinned:
          if (!change.reset && !means_pinned_value(change.name, change.value)) {
            plan.denial = refuse_setting(change.name, fmt::format("must be {}", *pinned_value(change.name)));
          }
          break;
        case SettingClass::identity:
          if (plan.kind != PlanKind::set || change.reset) break;
          plan.text = fmt::format("SET {} application_name TO {}", change.local ? "LOCAL" : "SESSION",
                                  sql::quote_literal(upstream_application_name(
                                      context_.principal, context_.session, change.value)));
          plan.rewritten = true;
          break;
        case SettingClass::planner:
          if (!context_.masks->empty()) {
            plan.denial = refuse_setting(
                change.name, "steers the planner, which is not the client's where masks are in force");
          }
          break;
        case SettingClass::refused: plan.denial = refuse_setting(change.name, "may not be changed"); break;
      }
    }
    if (plan.kind == PlanKind::set)
      plan.setting = changes.changes.size() == 1 ? changes.changes.front().name : "";
    if (plan.setting == "all") plan.setting.clear();
    return std::nullopt;
  }

  // --- masks ---

  std::optional<ErrorFields> apply_masks(Plan& plan, const std::vector<rewrite::CarriedKey>& keys) {
    if (context_.masks->empty() || plan.rewritten) return std::nullopt;
    const rewrite::RewriteInput input{.statement = *plan.statement,
                                      .catalogue = *planner_.catalogue_,
                                      .search_path = planner_.search_path(),
                                      .plan = planner_.masking(*context_.masks),
                                      .fresh = planner_.fresh_,
                                      .clamp = std::nullopt,
                                      .keys = keys,
                                      .vouch = {.may_set = may_set}};
    return take(plan, rewrite::rewrite(input));
  }

  static void hide_literals(Plan& plan) {
    auto operation = std::make_shared<Operation>(*plan.operation);
    operation->text = postgres::recorded_text(plan.source, postgres::Literals::hidden);
    plan.operation = std::move(operation);
  }

  static std::optional<ErrorFields> take(Plan& plan, rewrite::RewriteResult result) {
    if (auto* rewritten = std::get_if<rewrite::Rewritten>(&result)) {
      plan.text = std::move(rewritten->sql);
      plan.rewritten = true;
      plan.touches_masked = !rewritten->masked.empty();
      if (std::ranges::any_of(rewritten->masked, &rewrite::MaskedUse::in_expressions)) hide_literals(plan);
      for (const auto& use : rewritten->masked) plan.masked_fields += masked_output(*plan.operation, use);
      plan.warning = warn_of_conditions(rewritten->masked);
    } else if (auto* denial = std::get_if<Denial>(&result)) {
      plan.denial = std::move(*denial);
      plan.touches_masked = true;
      hide_literals(plan);
    } else if (auto* missing = std::get_if<rewrite::NeedsCatalogue>(&result)) {
      return undefined_table(missing->relation);
    }
    return std::nullopt;
  }

  static void put_in(Plan& plan, const std::vector<rewrite::CarriedKey>& keys) {
    auto with = rewrite::with_keys(*plan.statement, keys);
    plan.text = std::move(with.sql);
    plan.insertion = with.insertion;
    plan.rewritten = true;
  }

  // --- names of statements and cursors ---

  std::optional<ErrorFields> resolve_names(Plan& plan) {
    const auto& body = *plan.statement->body;
    switch (plan.kind) {
      case PlanKind::prepare: {
        const auto& prepare = as<sql::PrepareStatement>(body);
        plan.object = prepare.name;
        if (find_prepared(prepare.name)) {
          return render_error(sqlstate::kDuplicatePreparedStatement,
                              fmt::format("prepared statement \"{}\" already exists", prepare.name));
        }
        plan.upstream_object = context_.names.next_statement_name();
        plan.inner = inner_of(plan, *prepare.query);
        prepared_.insert_or_assign(plan.object, plan.inner);
        break;
      }
      case PlanKind::declare: {
        const auto& declare = as<sql::DeclareCursorStatement>(body);
        plan.object = declare.name;
        plan.hold_cursor = declare.hold;
        if (find_cursor(declare.name)) {
          return render_error(sqlstate::kDuplicateCursor,
                              fmt::format("cursor \"{}\" already exists", declare.name));
        }
        plan.upstream_object = context_.names.next_portal_name();
        plan.inner = inner_of(plan, *declare.query);
        cursors_.insert_or_assign(plan.object, plan.inner);
        break;
      }
      case PlanKind::execute: {
        plan.object = as<sql::ExecuteStatement>(body).name;
        plan.inner = find_prepared(plan.object);
        if (!plan.inner) {
          return render_error(sqlstate::kInvalidStatementName,
                              fmt::format("prepared statement \"{}\" does not exist", plan.object));
        }
        plan.upstream_object = upstream_prepared(plan.object);
        follow_inner(plan);
        break;
      }
      case PlanKind::fetch: {
        plan.object = as<sql::FetchStatement>(body).cursor;
        plan.inner = find_cursor(plan.object);
        if (!plan.inner) {
          return render_error(sqlstate::kInvalidCursorName,
                              fmt::format("cursor \"{}\" does not exist", plan.object));
        }
        plan.upstream_object = upstream_cursor(plan.object);
        follow_inner(plan);
        break;
      }
      case PlanKind::deallocate: {
        const auto& deallocate = as<sql::DeallocateStatement>(body);
        if (deallocate.all) return std::nullopt;
        plan.object = deallocate.name;
        if (!find_prepared(plan.object)) {
          return render_error(sqlstate::kInvalidStatementName,
                              fmt::format("prepared statement \"{}\" does not exist", plan.object));
        }
        plan.upstream_object = upstream_prepared(plan.object);
        prepared_.insert_or_assign(plan.object, nullptr);
        break;
      }
      case PlanKind::close_cursor: {
        const auto& close = as<sql::ClosePortalStatement>(body);
        if (close.all) return std::nullopt;
        plan.object = close.name;
        if (!find_cursor(plan.object)) {
          return render_error(sqlstate::kInvalidCursorName,
                              fmt::format("cursor \"{}\" does not exist", plan.object));
        }
        plan.upstream_object = upstream_cursor(plan.object);
        cursors_.insert_or_assign(plan.object, nullptr);
        break;
      }
      default: return std::nullopt;
    }
    upstream_.insert_or_assign(plan.object, plan.upstream_object);
    plan.text = with_name(plan.text, body, plan.upstream_object);
    plan.rewritten = true;
    plan.insertion = {};
    return std::nullopt;
  }

  // What a name stands for afterwards: the statement inside of PREPARE or DECLARE.
  static std::shared_ptr<const Plan> inner_of(const Plan& plan, const sql::Statement& body) {
    auto inner = std::make_shared<Plan>(plan);
    inner->kind = PlanKind::statement;
    inner->body = &body;
    inner->object.clear();
    inner->upstream_object.clear();
    return inner;
  }

  // EXECUTE and FETCH run what was planned before: under the masks of now, or not at all.
  void follow_inner(Plan& plan) const {
    plan.carried = plan.inner->carried;
    plan.touches_masked |= plan.inner->touches_masked;
    plan.masked_fields = plan.inner->masked_fields;
    plan.writes |= plan.inner->writes;
    if (!plan.denial && plan.inner->denial) plan.denial = plan.inner->denial;
    if (!plan.denial && plan.inner->basis.masks != basis_.masks) {
      plan.denial = Denial{Reason::revoked, "", "the policy has changed since this statement was prepared",
                           "Prepare or declare it again."};
    }
    // A cursor runs already; a prepared statement's names are looked up again when path or schema have
    // changed.
    if (!plan.denial && plan.kind == PlanKind::execute && plan.inner->basis != basis_) {
      plan.denial =
          Denial{Reason::not_understood, "",
                 "the search_path or the schema has changed since this statement was prepared, so that "
                 "its names may mean something else",
                 "Prepare it again."};
    }
  }

  Planner& planner_;
  const PlanContext& context_;
  std::shared_ptr<const sql::ParsedSql> parsed_;
  Basis basis_;
  SessionNames session_names_;
  Vouched vouched_;
  std::map<std::string, std::shared_ptr<const Plan>, std::less<>>
      prepared_;  // made in this text; null: dropped
  std::map<std::string, std::shared_ptr<const Plan>, std::less<>> cursors_;
  std::map<std::string, std::string, std::less<>> upstream_;
  std::string_view names_moved_;  // by an earlier statement of this text; empty: none
};

// --- planner
// --------------------------------------------------------------------------------------------------------

void Planner::set_catalogue(std::shared_ptr<const postgres::Catalogue> catalogue) {
  catalogue_ = std::move(catalogue);
}

const std::vector<std::string>& Planner::search_path() const {
  return search_path_.empty() && catalogue_ ? catalogue_->contents().default_search_path : search_path_;
}

Basis Planner::basis(const PlanContext& context) const {
  Basis basis{catalogue_->version(), context.masks->id, {}};
  for (const auto& schema : search_path()) basis.search_path.append(schema).push_back('\0');
  return basis;
}

const rewrite::MaskPlan& Planner::masking(const MaskSet& masks) {
  if (!masking_ || masking_->mask_set_id() != masks.id ||
      masking_->catalogue_version() != catalogue_->version()) {
    masking_ = mask_plans_ != nullptr ? mask_plans_->find_or_compile(*catalogue_, masks)
                                      : rewrite::MaskPlan::compile(*catalogue_, masks);
  }
  return *masking_;
}

std::expected<Planner::Plans, ErrorFields> Planner::plan(std::string_view sql, const PlanContext& context) {
  auto parsed = sql::parse(sql);
  if (!parsed) return std::unexpected(render_parse_error(parsed.error()));
  auto shared = std::make_shared<const sql::ParsedSql>(std::move(*parsed));
  if (shared->statements().empty()) {
    auto empty = std::make_shared<Plan>();
    auto operation = std::make_shared<Operation>();
    operation->system = "postgres";
    operation->verb = Verb::session;
    operation->statement_class = "EMPTY";
    empty->operation = std::move(operation);
    empty->kind = PlanKind::empty;
    empty->source = sql;
    empty->text = sql;
    empty->basis = basis(context);
    return Plans{std::move(empty)};
  }
  return Work{*this, context, std::move(shared)}.run();
}

std::expected<Planner::Plans, ErrorFields> Planner::plan_query(std::string_view sql,
                                                               const PlanContext& context) {
  // Which functions are vouched for is not part of a plan's basis; with none there is nothing to change.
  const auto number = context.vouched_functions.empty() ? varying_number(sql) : std::nullopt;
  if (!number) return plan(sql, context);
  const auto current = [&](const Plan& known) { return is_current(known, context); };
  if (auto made = templates_.find(sql, *number, current)) return Plans{std::move(made)};
  auto plans = plan(sql, context);
  if (!plans || plans->size() != 1 || !templates_.seen_before(sql, *number)) return plans;
  const auto example = PlanTemplates::examples_number(sql);
  if (example.empty()) return plans;
  std::string text{sql};
  text.replace(number->begin, number->end - number->begin, example);
  if (const auto with_example = plan(text, context); with_example && with_example->size() == 1) {
    templates_.add(sql, *number, *plans->front(), *with_example->front(), example);
  }
  return plans;
}

bool Planner::is_current(const Plan& plan, const PlanContext& context) const {
  return plan.basis.catalogue == catalogue_->version() && plan.basis.masks == context.masks->id &&
         plan.basis == basis(context);
}

std::shared_ptr<const Operation> Planner::bind(const Plan& plan, std::span<const BoundValue> values,
                                               const PlanContext& context) const {
  const auto& planned = *plan.operation;
  if (!planned.records.from_parameter && !planned.rows_hold_many && planned.searches.empty())
    return plan.operation;
  std::vector<postgres::Parameter> parameters;
  for (const auto& value : values) {
    postgres::Parameter parameter;
    parameter.type = value.type;
    if (!value.value) {
      parameter.state = postgres::Parameter::State::null;
    } else {
      parameter.state = value.format == Format::text ? postgres::Parameter::State::text
                                                     : postgres::Parameter::State::binary;
      parameter.bytes = as_text(*value.value);
    }
    parameters.push_back(parameter);
  }
  const SessionNames names{context.names};
  const Vouched vouched{context.vouched_functions};
  const postgres::DescribeContext describing{.catalogue = *catalogue_,
                                             .search_path = search_path(),
                                             .parameters = parameters,
                                             .names = &names,
                                             .vouched = &vouched};
  auto bound = std::make_shared<Operation>(*plan.operation);
  // Only the bound depends on the values; everything else was decided when the statement was planned.
  const auto described = postgres::describe(*plan.statement, describing);
  if (described.verb != Verb::unknown) {
    bound->records = described.records;
    bound->records_per_row = described.records_per_row;
    bound->rows_hold_many = described.rows_hold_many;
    bound->searches = described.searches;
  }
  return bound;
}

std::vector<rewrite::CarriedKey> Planner::carried_keys(const Plan& plan, const MaskSet& masks) {
  const auto* select =
      plan.statement->unknowns.empty() ? rewrite::answering_select(*plan.statement->body) : nullptr;
  if (select == nullptr) return {};
  return rewrite::missing_keys(*select, *catalogue_, search_path(),
                               masks.empty() ? nullptr : &masking(masks));
}

std::expected<std::shared_ptr<const Plan>, Denial> Planner::clamp(const Plan& plan, std::uint64_t records,
                                                                  const PlanContext& context) {
  if (plan.kind != PlanKind::statement && plan.kind != PlanKind::copy_out) {
    return std::unexpected(Denial{Reason::over_limit, "", "this statement cannot be limited for you",
                                  fmt::format("Write LIMIT {} or less yourself.", records)});
  }
  if (plan.parsed == nullptr) {  // made without a tree (plan_templates.h)
    const auto afresh = this->plan(plan.source, context);
    if (!afresh || afresh->size() != 1 || afresh->front()->parsed == nullptr) {
      return std::unexpected(Denial{Reason::over_limit, "", "this statement cannot be limited for you",
                                    fmt::format("Write LIMIT {} or less yourself.", records)});
    }
    return clamp(*afresh->front(), records, context);
  }
  const auto per_row = plan.operation->records_per_row;
  const auto rows = records / per_row;
  if (records > 0 && rows == 0) {  // an empty answer would look like the truth
    return std::unexpected(
        Denial{Reason::over_limit, "",
               fmt::format("a row of this carries {} records, and at most {} are allowed", per_row, records),
               "Join fewer tables."});
  }
  auto keys = carried_keys(plan, *context.masks);
  const auto carried = static_cast<std::uint16_t>(keys.size());
  auto result = context.masks->empty()
                    ? rewrite::clamp(*plan.statement, *catalogue_, search_path(), rows, std::move(keys))
                    : rewrite::rewrite({.statement = *plan.statement,
                                        .catalogue = *catalogue_,
                                        .search_path = search_path(),
                                        .plan = masking(*context.masks),
                                        .fresh = fresh_,
                                        .clamp = rows,
                                        .keys = std::move(keys),
                                        .vouch = {.may_set = may_set}});
  auto clamped = std::make_shared<Plan>(plan);
  if (auto* denial = std::get_if<Denial>(&result)) return std::unexpected(std::move(*denial));
  if (auto* rewritten = std::get_if<rewrite::Rewritten>(&result)) {
    clamped->text = std::move(rewritten->sql);
    clamped->rewritten = true;
    clamped->carried = carried;
    clamped->insertion = {};
  } else {
    return std::unexpected(Denial{Reason::over_limit, "", "this statement cannot be limited for you",
                                  fmt::format("Write LIMIT {} or less yourself.", records)});
  }
  clamped->clamped_to = records;
  return clamped;
}

}  // namespace sluice::proxy::pg
