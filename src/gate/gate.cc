#include "gate/gate.h"

#include <algorithm>

#include "core/log.h"

namespace sluice::gate {
namespace {

// Reviews that one operation may need, one after the other. More is a policy that nobody can satisfy.
constexpr int kMaxReviewsPerOperation = 8;

// Of an operation whose ruling is kept: bytes, per session four times.
constexpr std::size_t kKnownText = 4096;

Denial record_unavailable(const Error& error) {
  return {Reason::record_unavailable, "", "the record cannot be written, so nothing may pass",
          "Ask the operator of the gateway; its log says why. (" + std::string{to_string(error.code)} + ")"};
}

std::vector<std::string> mask_summary(const MaskSet& masks, const Operation& operation) {
  std::vector<std::string> lines;
  for (const auto& use : operation.collections) {
    if (!masks.touches(use.name)) continue;
    for (const auto& mask : masks.fields) {
      lines.push_back(fmt::format("{}.{}: {}", use.name, mask.field, to_string(mask.mask)));
    }
    if (masks.vector_mask(use.name)) lines.push_back(fmt::format("{}: vectors masked", use.name));
  }
  return lines;
}

}  // namespace

Gate::Gate(Services& services, SessionFacts facts)
    : services_(services), facts_(std::move(facts)), policies_(services.policies) {}

Result<void> Gate::open() {
  TRY(auto receipt, services_.log.session_start(facts_));
  (void)receipt;
  return settle();
}

void Gate::close(record::SessionEndReason reason, std::string_view detail) {
  auto receipt = services_.log.session_end(
      facts_.id, {.reason = reason, .operations = recorded_, .entries = 0, .detail = detail});
  // The session is over either way; recovery marks a session without an end.
  if (!receipt)
    log::error("session end not recorded",
               {{"session", to_string(facts_.id)}, {"error", receipt.error().message()}});
}

const policy::Scope& Gate::scope() {
  if (policies_.refresh() || !scope_) {
    known_ = {};
    scope_ = policy::Scope::compile(policies_.share(), facts_);
  }
  return *scope_;
}

const std::shared_ptr<const MaskSet>& Gate::masks() {
  return scope().masks();
}
std::uint64_t Gate::policy_version() {
  return scope().policy_version();
}

const std::vector<std::string>& Gate::vouched_functions() {
  return scope().vouched_functions();
}

void Gate::replace_principal(std::shared_ptr<const Principal> principal) {
  facts_.principal = std::move(principal);
  ruled_before_ = last_operation_;
  scope_.reset();
}

// --- decide --------------------------------------------------------------------------------------

Proposal Gate::decide(std::shared_ptr<const Operation> operation) {
  const auto& now = scope();
  const OperationId id{++last_operation_};
  for (const auto& known : known_) {
    if (known.operation != operation) continue;
    now.count_again(known.counted);
    return Proposal{std::move(operation), id, known.ruling};
  }
  std::vector<std::uint32_t> counted;
  auto ruling = std::make_shared<const Ruling>(now.decide(*operation, services_.clock.now(), &counted));
  const bool keep = !now.looks_at_time() && operation->text.size() <= kKnownText;
  if (keep) known_[next_known_++ % kKnown] = {operation, ruling, std::move(counted)};
  return Proposal{std::move(operation), id, std::move(ruling)};
}

std::optional<PreparePermit> Gate::prepare(const Proposal& proposal) {
  if (proposal.denied()) return std::nullopt;
  return PreparePermit{};
}

// --- refuse ---

Refusal Gate::refuse(Proposal proposal, std::optional<Denial> why) {
  Refusal refusal{why ? std::move(*why) : Denial{proposal.ruling_->denial}, proposal.operation_,
                  proposal.id_};
  return record_refusal(std::move(refusal), proposal.ruling_.get(), {});
}

Refusal Gate::refuse(const Wait& wait, Denial why) {
  return record_refusal({std::move(why), wait.operation, wait.id}, wait.ruling.get(), {});
}

Refusal Gate::refuse_unread(Denial why, std::string_view text) {
  constexpr std::size_t kMaxRecordedText = 4096;  // of what was not understood: enough to see what it was
  Refusal refusal{std::move(why), nullptr, OperationId{++last_operation_}};
  return record_refusal(std::move(refusal), nullptr, text.substr(0, kMaxRecordedText));
}

Refusal Gate::record_refusal(Refusal refusal, const Ruling* ruling, std::string_view text) {
  services_.measures.refused(refusal.operation ? refusal.operation->verb : Verb::unknown,
                             refusal.denial.reason);
  const auto receipt = services_.log.denial({.session = facts_.id,
                                             .operation = refusal.id,
                                             .op = refusal.operation,
                                             .ruling = ruling,
                                             .policy_digest = scope().policy().digest(),
                                             .denial = refusal.denial,
                                             .text = text});
  if (receipt) {
    ++recorded_;
  } else {
    refusal.denial = record_unavailable(receipt.error());
  }
  return refusal;
}

// --- review --------------------------------------------------------------------------------------

Digest Gate::binding(const Operation& operation, const Ruling& ruling, const Execution& execution) const {
  auto bound = execution.reviewed;
  bound.principal = facts_.principal->name;
  bound.connection = facts_.connection;
  bound.role = facts_.role;
  bound.database = facts_.database;
  bound.fingerprint = operation.fingerprint;
  bound.rules = {ruling.review.rule};
  bound.policy = scope_->policy().digest();
  bound.max_records = operation.records.max;
  return review::digest_operation(bound);
}

std::variant<std::monostate, Wait, Refusal> Gate::ask_review(
    const std::shared_ptr<const Operation>& operation, OperationId id,
    const std::shared_ptr<const Ruling>& decided, const Execution& execution) {
  const auto& ruling = *decided;
  review::ReviewRequest request;
  request.digest = binding(*operation, ruling, execution);
  request.principal = facts_.principal->name;
  request.connection = facts_.connection;
  request.role = facts_.role;
  request.system = facts_.system;
  request.verb = operation->verb;
  request.statement = operation->text;
  for (const auto& use : operation->collections) request.collections.push_back(use.name);
  request.max_records = operation->records.max;
  request.estimated_records = operation->records.max ? operation->records.max : operation->records.estimate;
  request.masks = mask_summary(*ruling.obligations.masks, *operation);
  request.client_address = facts_.client_address;
  request.session = to_string(facts_.id);
  request.operation = format_operation(facts_.id, id);
  request.terms = ruling.review;

  auto ticket = services_.reviews.open_or_find(request);
  if (!ticket) {
    return Refusal{{Reason::review_required, ruling.review.rule,
                    "a review is needed, and none can be opened: " + ticket.error().detail, ""},
                   operation,
                   id};
  }
  if (ticket->opened) {
    const auto receipt = services_.log.append(record::ReviewRequested{.session = facts_.id,
                                                                      .operation = id,
                                                                      .review = ticket->id.value,
                                                                      .rule = ruling.review.rule,
                                                                      .requester = facts_.principal->name,
                                                                      .summary = operation->text,
                                                                      .binding = request.digest,
                                                                      .approvals = ruling.review.approvals,
                                                                      .uses = ruling.review.uses,
                                                                      .expires = ticket->expires});
    if (!receipt) return Refusal{record_unavailable(receipt.error()), operation, id};
  }
  switch (ticket->state) {
    case review::ReviewState::approved: return std::monostate{};
    case review::ReviewState::rejected:
      return Refusal{{Reason::review_rejected, ruling.review.rule,
                      fmt::format("review {} was rejected", ticket->id.value), ""},
                     operation,
                     id};
    case review::ReviewState::pending:
    case review::ReviewState::expired:
    case review::ReviewState::used: break;
  }
  return Wait{ticket->id, ruling.review, operation, id, decided};
}

std::variant<std::monostate, Wait, Refusal> Gate::review(const Proposal& proposal,
                                                         const Execution& execution) {
  if (!proposal.needs_review()) return std::monostate{};
  return ask_review(proposal.operation_, proposal.id_, proposal.ruling_, execution);
}

std::variant<std::monostate, Wait, Refusal> Gate::spend_reviews(Proposal& proposal,
                                                                const Execution& execution,
                                                                std::string& reviews) {
  std::vector<std::string> approved;
  std::vector<std::string_view> approved_views;
  for (int round = 0; round < kMaxReviewsPerOperation; ++round) {
    const auto& ruling = *proposal.ruling_;
    const bool demanded = ruling.effect == Ruling::Effect::review;
    // A reply that is to be counted up to a review's bound may already have its approval.
    const bool bounded = ruling.effect == Ruling::Effect::permit && ruling.obligations.max_records &&
                         ruling.obligations.over == Over::review;
    if (!demanded && !bounded) return std::monostate{};

    auto spent =
        services_.reviews.consume(binding(*proposal.operation_, ruling, execution), facts_.principal->name);
    if (!spent) return Refusal{record_unavailable(spent.error()), proposal.operation_, proposal.id_};
    if (spent->outcome != review::Outcome::used) {
      if (!demanded) return std::monostate{};
      auto asked = ask_review(proposal.operation_, proposal.id_, proposal.ruling_, execution);
      if (std::holds_alternative<std::monostate>(asked)) continue;  // approved this very moment: spend it
      return asked;
    }
    if (auto receipt = services_.log.append(record::ReviewUsed{.session = facts_.id,
                                                               .operation = proposal.id_,
                                                               .review = spent->id.value,
                                                               .uses_left = spent->uses_left});
        !receipt) {
      return Refusal{record_unavailable(receipt.error()), proposal.operation_, proposal.id_};
    }
    if (!reviews.empty()) reviews.push_back(',');
    reviews.append(spent->id.value);
    approved.push_back(ruling.review.rule);
    approved_views.assign(approved.begin(), approved.end());
    proposal.ruling_ = std::make_shared<const Ruling>(
        scope().evaluate(*proposal.operation_, services_.clock.now(), nullptr, approved_views));
    if (proposal.denied()) return Refusal{proposal.ruling_->denial, proposal.operation_, proposal.id_};
  }
  return Refusal{{Reason::review_required, "", "the policy asks for too many reviews of one operation", ""},
                 proposal.operation_,
                 proposal.id_};
}

std::variant<Permit, Wait, Refusal> Gate::review_rest(const Permit& permit, const Execution& execution) {
  Proposal proposal{permit.operation_, permit.id_, permit.ruling_};
  auto asked = ask_review(permit.operation_, permit.id_, permit.ruling_, execution);
  if (auto* wait = std::get_if<Wait>(&asked)) return std::move(*wait);
  if (auto* refusal = std::get_if<Refusal>(&asked)) return std::move(*refusal);
  std::string reviews;
  auto spent = spend_reviews(proposal, execution, reviews);
  if (auto* wait = std::get_if<Wait>(&spent)) return std::move(*wait);
  if (auto* refusal = std::get_if<Refusal>(&spent)) return std::move(*refusal);
  return Permit{proposal.operation_, proposal.id_, proposal.ruling_, permit.since_};
}

// --- admit ---------------------------------------------------------------------------------------

Admission Gate::admit(Proposal proposal, const Execution& execution) {
  if (proposal.denied()) return refuse(std::move(proposal));

  std::string reviews;
  auto reviewed = spend_reviews(proposal, execution, reviews);
  if (auto* wait = std::get_if<Wait>(&reviewed)) return std::move(*wait);
  if (auto* refusal = std::get_if<Refusal>(&reviewed)) return refuse(std::move(proposal), refusal->denial);

  const auto& ruling = *proposal.ruling_;
  if (proposal.operation_->rows_hold_many && (ruling.obligations.max_records || !ruling.quotas.empty())) {
    // Its reply cannot be counted: one row may carry the whole collection.
    return refuse(std::move(proposal),
                  Denial{Reason::over_limit, ruling.obligations.bound_rule,
                         "this gathers any number of records into one row, and the policy bounds them",
                         "Gather from a sub-select with a LIMIT."});
  }
  if (!ruling.quotas.empty()) {
    // A request that says how much it wants and cannot get it is refused before it runs.
    const auto wanted = std::max<std::uint64_t>(
        proposal.operation_->records.max.value_or(proposal.operation_->records_per_row), 1);
    const auto left = services_.budgets.remaining(ruling.quotas, services_.clock.now());
    if (left && *left < wanted) {
      Denial denial{Reason::over_budget, ruling.quotas.front()->rule,
                    fmt::format("the budget of this window has {} records left; this asks for {}", *left,
                                proposal.operation_->records.max ? std::to_string(wanted) : "an open number"),
                    "Ask for fewer records, or wait until the window has moved on."};
      return refuse(std::move(proposal), std::move(denial));
    }
  }

  const auto since = services_.clock.steady();
  auto receipt = services_.log.intent({.session = facts_.id,
                                       .operation = proposal.id_,
                                       .op = proposal.operation_,
                                       .ruling = proposal.ruling_.get(),
                                       .policy_digest = scope().policy().digest(),
                                       .limit = proposal.operation_->records.max,
                                       .params_digest = execution.parameters,
                                       .params = execution.params,
                                       .review = reviews,
                                       .upstream_user = execution.upstream_user});
  if (!receipt) {
    return Refusal{record_unavailable(receipt.error()), proposal.operation_, proposal.id_};
  }
  if (auto settled = settle(); !settled) {
    return Refusal{record_unavailable(settled.error()), proposal.operation_, proposal.id_};
  }
  ++recorded_;
  services_.measures.permitted(proposal.operation_->verb);
  return Permit{std::move(proposal.operation_), proposal.id_, std::move(proposal.ruling_), since};
}

// --- while it runs -------------------------------------------------------------------------------

std::optional<Denial> Gate::still_permitted(const Permit& permit) {
  const auto& now = scope();
  const auto& then = permit.ruling();
  const bool same_principal = permit.id().value > ruled_before_;
  if (same_principal && now.policy_version() == then.policy_version) return std::nullopt;
  auto again = now.evaluate(permit.operation(), services_.clock.now());
  if (again.effect == Ruling::Effect::deny) return again.denial;
  if (again.obligations.masks->id != then.obligations.masks->id) {
    return Denial{Reason::revoked, "", "the policy changed while this reply was on its way",
                  "Send the request again: it will be answered under the new policy."};
  }
  return std::nullopt;
}

bool Gate::take_budget(const Ruling& ruling, std::uint64_t records) {
  return !services_.budgets.take(ruling.quotas, records, services_.clock.now());
}

Result<void> Gate::settle() {
  return services_.sync_each_turn ? services_.log.sync() : Result<void>{};
}

budget::SearchKind Gate::look_at_search(std::string_view field, bool by_length, const QuerySketch* sketch) {
  return services_.probes.look_at({facts_.principal->name, facts_.connection, field, by_length}, sketch);
}

std::optional<Denial> Gate::take_probe(std::string_view collection, std::string_view id, std::uint64_t units,
                                       std::string_view why) {
  const auto exhausted = services_.probes.take(
      {facts_.principal->name, facts_.connection, collection, id, masks()->probes_per_day(collection)}, units,
      services_.clock.now());
  if (!exhausted) return std::nullopt;
  return Denial{Reason::over_budget, "probes",
                fmt::format("{} has been asked about too often in ways that tell what is masked ({})",
                            id.empty() ? collection : "a record of this answer", why),
                "The count is per day. Ask about more records at once, and for what you look for."};
}

void Gate::incident(std::string_view code, std::string_view detail) {
  log::warn(
      "incident",
      {{"session", to_string(facts_.id)}, {"code", std::string{code}}, {"detail", std::string{detail}}});
  const auto receipt = services_.log.append(
      record::Incident{.session = facts_.id, .operation = OperationId{0}, .code = code, .detail = detail});
  if (!receipt) log::error("incident not recorded", {{"error", receipt.error().message()}});
}

}  // namespace sluice::gate
