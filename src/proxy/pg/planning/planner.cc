#include "proxy/pg/planning/planner.h"

#include "proxy/pg/exchange/refusal.h"
#include "proxy/pg/planning/moved_names.h"
#include "proxy/pg/planning/statement_masks.h"
#include "proxy/pg/planning/statement_settings.h"
#include "proxy/pg/planning/text_names.h"
#include "systems/postgres/describe/describe.h"
#include "systems/postgres/describe/recorded_text.h"
#include "systems/postgres/rewrite/clamp.h"
#include "systems/postgres/rewrite/rewrite.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;
namespace sql = postgres::sql;
namespace rewrite = postgres::rewrite;

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

class Vouched final : public postgres::VouchedFunctions {
 public:
  explicit Vouched(const std::vector<std::string>& names) : names_(names) {}
  bool contains(std::string_view schema, std::string_view name) const override {
    // Of one definition the catalogue says so; the names here are of whatever is called so.
    return std::ranges::binary_search(names_, fmt::format("{}.{}", schema, name));
  }

 private:
  const std::vector<std::string>& names_;
};

Denial cannot_limit(std::uint64_t records) {
  return {Reason::over_limit, "", "this statement cannot be limited for you",
          fmt::format("Write LIMIT {} or less yourself.", records)};
}

}  // namespace

// --- one text ---

// Plans the statements of one text in order; names that an earlier one makes are known to the later ones.
class Planner::Work {
 public:
  Work(Planner& planner, const PlanContext& context, std::shared_ptr<const sql::ParsedSql> parsed)
      : planner_(planner),
        context_(context),
        parsed_(std::move(parsed)),
        basis_(planner.basis(context)),
        names_(context.names, planner.aside_),
        moved_(context.moved_in_transaction),
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

 private:
  using Planned = std::expected<std::shared_ptr<const Plan>, ErrorFields>;

  Planned plan_one(const sql::ParsedStatement& statement) {
    auto plan = std::make_shared<Plan>();
    plan->source = statement.text;
    plan->text = statement.text;
    plan->parsed = parsed_;
    plan->statement = &statement;
    plan->body = statement.body;
    plan->basis = basis_;
    if (planner_.aside_) {
      plan->large = true;
      plan->digests = std::make_shared<const std::array<Digest, 2>>(std::array{
          sha256(as_bytes(plan->source)), sha256(as_bytes(postgres::text_without_vectors(plan->source)))});
    }
    const postgres::DescribeContext describing{.catalogue = *planner_.catalogue_,
                                               .search_path = planner_.search_path(),
                                               .parameters = {},
                                               .names = &names_,
                                               .vouched = &vouched_,
                                               .sketches = !context_.masks->vectors.empty()};
    auto operation = std::make_shared<Operation>(postgres::describe(statement, describing));
    if (names_.met_large()) {
      planner_.met_large_ = true;
      return std::unexpected(render_error(sqlstate::kProgramLimitExceeded, "the statement is large"));
    }
    if (!operation->missing_relation.empty()) {
      auto moved = moved_.refuse(operation->missing_relation);
      planner_.names_moved_ = moved.has_value();
      return std::unexpected(moved ? std::move(*moved) : undefined_table(operation->missing_relation));
    }
    plan->kind = kind_of(*statement.body, *operation);
    plan->writes = may_write(*operation);
    for (const auto& use : operation->collections) add_object(*plan, use.name);
    plan->operation = std::move(operation);
    check_settings(*plan, context_, is_servers_own("pg_settings"));
    if (!plan->denial) {
      auto keys = planner_.carried_keys(*plan, *context_.masks);
      plan->carried = static_cast<std::uint16_t>(keys.size());
      if (auto error = mask(*plan, keys)) {
        planner_.met_large_ = is_too_large(*error);
        return std::unexpected(std::move(*error));
      }
      if (!plan->rewritten && !plan->denial && !keys.empty()) put_in(*plan, keys);
    }
    if (auto error = names_.resolve(*plan)) return std::unexpected(std::move(*error));
    if (auto error = moved_.refuse(*plan)) {
      planner_.names_moved_ = true;
      return std::unexpected(std::move(*error));
    }
    moved_.pass(*plan);
    return plan;
  }

  // The name, without a schema, is that of the server's own view.
  bool is_servers_own(std::string_view view) const {
    const auto* relation = planner_.catalogue_->find_relation(planner_.search_path(), {}, view);
    return relation != nullptr && relation->system;
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

  std::optional<ErrorFields> mask(Plan& plan, const std::vector<rewrite::CarriedKey>& keys) const {
    if (context_.masks->empty()) return std::nullopt;
    if (planner_.masking(*context_.masks).in_force()) plan.masking = planner_.masking_;
    if (plan.rewritten || plan.kind == PlanKind::set) return std::nullopt;
    return apply_masks(plan, {.statement = *plan.statement,
                              .catalogue = *planner_.catalogue_,
                              .search_path = planner_.search_path(),
                              .plan = planner_.masking(*context_.masks),
                              .fresh = planner_.fresh_,
                              .clamp = std::nullopt,
                              .keys = keys,
                              .vouch = {.may_set = may_set},
                              .max_names = planner_.aside_ ? rewrite::kMaxNames : rewrite::kMaxNamesAtOnce});
  }

  static void put_in(Plan& plan, const std::vector<rewrite::CarriedKey>& keys) {
    auto with = rewrite::with_keys(*plan.statement, keys);
    plan.text = std::move(with.sql);
    plan.insertion = with.insertion;
    plan.rewritten = true;
  }

  Planner& planner_;
  const PlanContext& context_;
  std::shared_ptr<const sql::ParsedSql> parsed_;
  Basis basis_;
  TextNames names_;
  MovedNames moved_;
  Vouched vouched_;
};

// --- the session's planner ---

void Planner::set_catalogue(std::shared_ptr<const postgres::Catalogue> catalogue) {
  as_read_ = std::move(catalogue);
  catalogue_ = as_read_;
  auto vouched = std::exchange(vouched_, {});
  vouch(std::move(vouched));
}

void Planner::vouch(std::vector<std::string> vouched) {
  if (vouched == vouched_ || as_read_ == nullptr) return;
  vouched_ = std::move(vouched);
  catalogue_ = mask_plans_ != nullptr ? mask_plans_->with_vouches(as_read_, vouched_)
                                      : postgres::with_vouches(as_read_, vouched_);
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

Basis Planner::basis_now(const PlanContext& context) {
  vouch(context.vouched_functions);
  return basis(context);
}

Planner Planner::aside(const PlanContext& context, std::weak_ptr<PlanningPool> pool) {
  vouch(context.vouched_functions);
  if (!context.masks->empty()) (void)masking(*context.masks);
  Planner other;
  other.as_read_ = as_read_;
  other.vouched_ = vouched_;
  other.catalogue_ = catalogue_;
  other.search_path_ = search_path_;
  other.masking_ = masking_;
  other.fresh_ = fresh_;
  other.aside_ = true;
  other.pool_ = std::move(pool);
  return other;
}

std::vector<QueryPart> Planner::parts(std::string_view sql) {
  std::vector<QueryPart> parts;
  const auto parsed = sql::parse(sql);
  if (!parsed) return parts;
  std::size_t counted = 0;
  std::uint32_t characters = 0;
  for (const auto& statement : parsed->statements()) {
    for (; counted < static_cast<std::size_t>(statement.begin); ++counted)
      characters += (static_cast<unsigned char>(sql[counted]) & 0xC0) != 0x80 ? 1 : 0;
    std::string message;
    if (!encode_parse(message, "", statement.text)) return {};
    parts.push_back({std::make_shared<const std::string>(std::move(message)), characters});
  }
  return parts;
}

std::expected<Planner::Plans, ErrorFields> Planner::plan(std::string_view sql, const PlanContext& context) {
  names_moved_ = met_large_ = false;
  vouch(context.vouched_functions);
  auto parsed = sql::parse(sql);
  if (!parsed) return std::unexpected(render_parse_error(parsed.error()));
  auto shared = std::make_shared<const sql::ParsedSql>(std::move(*parsed));
  if (aside_) shared = PlanningPool::held(pool_, std::move(shared));
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
  vouch(context.vouched_functions);
  // Which functions are vouched for by name is not part of a plan's basis; with none there is nothing to
  // change.
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

std::optional<Denial> Planner::refuse_types(std::span<const std::uint32_t> types, const MaskSet& masks) {
  if (masks.empty() || !masking(masks).in_force()) return std::nullopt;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] == 0) continue;  // the server finds it out from the statement
    const auto* type = catalogue_->type(types[i]);
    if (type != nullptr && type->vouched) continue;
    return Denial{Reason::masked_use, "",
                  fmt::format("the type of parameter ${} is not vouched for: it could run code that reads "
                              "masked values",
                              i + 1),
                  "Leave the type to the server, or name a built-in one."};
  }
  return std::nullopt;
}

bool Planner::is_current(const Plan& plan, const PlanContext& context) const {
  return context.vouched_functions == vouched_ && plan.basis.catalogue == catalogue_->version() &&
         plan.basis.masks == context.masks->id && plan.basis == basis(context);
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
  const TextNames names{context.names, aside_};
  const Vouched vouched{context.vouched_functions};
  const postgres::DescribeContext describing{.catalogue = *catalogue_,
                                             .search_path = search_path(),
                                             .parameters = parameters,
                                             .names = &names,
                                             .vouched = &vouched,
                                             .sketches = !context.masks->vectors.empty()};
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
  if (select == nullptr || plan.operation->verb == Verb::unknown) return {};  // nothing can allow it
  return rewrite::missing_keys(*select, *catalogue_, search_path(),
                               masks.empty() ? nullptr : &masking(masks));
}

std::expected<std::shared_ptr<const Plan>, Denial> Planner::clamp(const Plan& plan, std::uint64_t records,
                                                                  const PlanContext& context) {
  if (plan.kind != PlanKind::statement && plan.kind != PlanKind::copy_out) {
    return std::unexpected(cannot_limit(records));
  }
  if (plan.parsed == nullptr) {  // made without a tree (plan_templates.h)
    const auto afresh = this->plan(plan.source, context);
    if (!afresh || afresh->size() != 1 || afresh->front()->parsed == nullptr) {
      return std::unexpected(cannot_limit(records));
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
    clamped->carried = carried;
    clamped->insertion = {};
    take_over(*clamped, std::move(*rewritten));
  } else {
    return std::unexpected(cannot_limit(records));
  }
  clamped->clamped_to = records;
  return clamped;
}

}  // namespace sluice::proxy::pg
