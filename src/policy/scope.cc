#include "policy/scope.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "policy/bounds.h"
#include "policy/mask_sets.h"
#include "policy/matcher.h"
#include "policy/rule.h"
#include "policy/rule_hits.h"
#include "policy/shadow.h"
#include "policy/trace_rule.h"

namespace sluice::policy {

// A rule that can apply to this session. What its match and excepts say about the session is settled.
struct Scope::Candidate {
  const Rule* rule = nullptr;
  const Budget* budget = nullptr;
  std::uint8_t restrict_excepts = 0;
  std::uint8_t grant_excepts = 0;
  bool restricts = false;  // deny, limit, budget, review, mask: read broadly
  bool grants = false;     // allow: read narrowly
};

// What the matching rules add up to.
struct Scope::Decision {
  explicit Decision(const Operation& operation);

  // Of one of the operation's verbs.
  struct Grant {
    Verb verb;
    const Rule* by = nullptr;             // the widest
    std::optional<std::uint64_t> widest;  // its max_records; nullopt with `by`: any number
    void add(const Rule& rule);
  };

  std::optional<std::uint64_t> asked;
  // A search says how many neighbours it wants. One that does not (LIMIT ALL, WITH TIES) asks for any number,
  // and is refused or reviewed before it runs; a scroll is run, counted and stopped.
  bool must_say = false;
  std::array<std::byte, 1024> memory;  // for some forty bounds; more are allocated
  std::pmr::monotonic_buffer_resource resource{memory.data(), memory.size()};
  Bounds bounds{&resource};
  const Rule* denied_by = nullptr;
  std::pmr::vector<Grant> grants{&resource};  // one for each verb, the main one first
  std::pmr::vector<const Rule*> standing_reviews{&resource};

  void restrict(const Rule& rule);
};

namespace {

// "search on public.docs", "scroll on public.a, public.b and 3 more".
std::string what(const Operation& operation, Verb verb) {
  constexpr std::size_t kNamed = 3;
  std::string text{to_string(verb)};
  for (std::size_t i = 0; i < std::min(operation.collections.size(), kNamed); ++i) {
    text += i == 0 ? " on " : ", ";
    text += operation.collections[i].name;
  }
  if (operation.collections.size() > kNamed)
    text += fmt::format(" and {} more", operation.collections.size() - kNamed);
  return text;
}

// `function`: its name, or "signature#SHA-256" of one definition. Names may have a "#", hashes do not.
std::pair<std::string_view, std::string_view> signature_and_hash(std::string_view function) {
  const auto sign = function.rfind(")#");
  if (sign == std::string_view::npos) return {function, {}};
  return {function.substr(0, sign + 1), function.substr(sign + 2)};
}

std::string how_to_vouch(std::string_view function, const SessionFacts& facts) {
  const auto [signature, hash] = signature_and_hash(function);
  if (hash.empty()) {
    return fmt::format(
        "who knows what it does can vouch for it in the policy: vouch: [{{connection: {}, functions: [{}]}}]",
        facts.connection, function);
  }
  return fmt::format("A policy can vouch for it: {{function: \"{}\", sha256: \"{}\", connection: [...]}}.",
                     signature, hash);
}

Denial not_understood(const Operation& operation, const SessionFacts& facts) {
  const auto definition = std::ranges::find_if(
      operation.functions, [](const auto& function) { return !signature_and_hash(function).second.empty(); });
  return {.reason = Reason::not_understood,
          .message =
              operation.unknown_reason.empty() ? "the request was not understood" : operation.unknown_reason,
          .hint = definition != operation.functions.end()
                      ? how_to_vouch(*definition, facts)
                      : "what Sluice does not understand it does not let through"};
}

Denial not_vouched(const std::string& function, const SessionFacts& facts) {
  return {.reason = Reason::not_understood,
          .message = fmt::format("function {} is not known to Sluice", signature_and_hash(function).first),
          .hint = how_to_vouch(function, facts)};
}

Denial no_rule(const Operation& operation, Verb verb, const SessionFacts& facts) {
  return {.reason = Reason::no_rule,
          .message = fmt::format("no rule allows {} to {} over connection {}", facts.principal->name,
                                 what(operation, verb), facts.connection),
          .hint = operation.collections.size() > 1 ? "one allow rule must cover all of the collections" : ""};
}

Denial denied(const Rule& rule) {
  return {.reason = Reason::denied_by_rule,
          .rule = rule.name,
          .message = rule.deny->message,
          .hint = rule.deny->hint};
}

const std::string& message_of(const Bound& bound) {
  static const std::string kNone;
  if (bound.by_match) return bound.rule->deny ? bound.rule->deny->message : kNone;
  const auto& limit = bound.rule->limit;
  const auto& allow = bound.rule->allow;
  if (limit && limit->max_records == bound.records && limit->over == bound.over && !limit->message.empty()) {
    return limit->message;
  }
  return allow ? allow->message : kNone;
}

Denial over_limit(const Bound& bound, std::optional<std::uint64_t> asked) {
  const std::string& message = message_of(bound);
  const std::string number = asked ? fmt::format("up to {}", *asked) : "any number of";
  return {.reason = Reason::over_limit,
          .rule = bound.rule->name,
          .message = message.empty() ? fmt::format("the request asks for {} records; at most {} are allowed",
                                                   number, bound.records)
                                     : message,
          .hint = fmt::format("ask for at most {} records", bound.records)};
}

}  // namespace

Scope::Decision::Decision(const Operation& operation)
    : asked(operation.records.max),
      must_say(!operation.records.from_parameter &&
               (operation.verb == Verb::search || std::ranges::count(operation.also, Verb::search) > 0)) {
  grants.reserve(1 + operation.also.size());
  grants.push_back({operation.verb});
  for (const Verb verb : operation.also) grants.push_back({verb});
}

// Of several allows the one that grants most governs; of equal ones the strictest.
void Scope::Decision::Grant::add(const Rule& rule) {
  const Bounding& allow = *rule.allow;
  auto stricter = [](Over a, Over b) {
    return a != b && (a == Over::deny || (a == Over::review && b == Over::clamp));
  };
  bool wider = !by || (widest && (!allow.max_records || *allow.max_records > *widest));
  bool equal = by && widest && allow.max_records == widest;
  if (!wider && !(equal && stricter(allow.over, by->allow->over))) return;
  by = &rule;
  widest = allow.max_records;
}

void Scope::Decision::restrict(const Rule& rule) {
  // Above a number of records: for a reply without a bound the number becomes one.
  auto over = !asked ? rule.match.records_over : std::nullopt;
  if (rule.deny && over) {
    bounds.push_back({*over, Over::deny, &rule, true});
  } else if (rule.deny && !denied_by) {
    denied_by = &rule;
  }
  if (rule.limit && rule.limit->max_records)
    bounds.push_back({*rule.limit->max_records, rule.limit->over, &rule});
  if (rule.review && !rule.review_is_terms_only()) {
    if (rule.match.records_over) {
      bounds.push_back({*rule.match.records_over, Over::review, &rule, true});
    } else {
      standing_reviews.push_back(&rule);
    }
  }
}

Scope::~Scope() = default;

std::shared_ptr<const Scope> Scope::compile(std::shared_ptr<const PolicySet> policy,
                                            const SessionFacts& facts) {
  std::shared_ptr<Scope> scope{new Scope};
  scope->policy_ = std::move(policy);
  scope->facts_ = facts;

  scope->vouched_ = scope->policy_->vouched_functions(facts.connection);
  MaskSet masks;
  if (facts.principal && !facts.principal->disabled) {
    const std::vector<Rule>& rules = scope->policy_->rules();
    scope->budgets_.reserve(static_cast<std::size_t>(
        std::ranges::count_if(rules, [](const Rule& rule) { return rule.budget.has_value(); })));
    SessionView session{scope->facts_};
    for (const Rule& rule : rules) {
      SessionMatch broad = match_session(rule, session, Reading::broad);
      SessionMatch narrow = match_session(rule, session, Reading::narrow);
      Candidate candidate{
          .rule = &rule,
          .restrict_excepts = broad.excepts,
          .grant_excepts = narrow.excepts,
          .restricts = broad.failed == Clause::none && (rule.restricts() || !rule.mask.empty()),
          .grants = narrow.failed == Clause::none && rule.allow.has_value()};
      if (!candidate.restricts && !candidate.grants) continue;
      if (candidate.restricts && rule.budget && !rule.shadow) {
        std::string key = fmt::format("{}\n{}\n{}", rule.name, facts.principal->name, facts.connection);
        std::uint64_t account = budget_account(key);
        scope->budgets_.push_back(
            {std::move(key), account, rule.name, rule.budget->records, rule.budget->per});
        candidate.budget = &scope->budgets_.back();
      }
      if (candidate.restricts && !rule.shadow) add_masks(rule, broad, masks);
      scope->looks_at_time_ |=
          rule.match.time.has_value() ||
          std::ranges::any_of(rule.except, [](const Criteria& e) { return e.time.has_value(); });
      scope->index_.add(static_cast<std::uint32_t>(scope->candidates_.size()), rule);
      scope->candidates_.push_back(candidate);
    }
  }
  scope->index_.finish(scope->candidates_.size());
  scope->candidates_.shrink_to_fit();
  scope->masks_ = scope->policy_->masks().intern(std::move(masks));
  return scope;
}

Ruling Scope::evaluate(const Operation& operation, WallTime now, Trace* trace,
                       std::span<const std::string_view> approved) const {
  if (trace) add_trace(operation, now, *trace);
  return judge(operation, now, approved, nullptr, nullptr);
}

Ruling Scope::decide(const Operation& operation, WallTime now, std::vector<std::uint32_t>* counted) const {
  return judge(operation, now, {}, &policy_->hits(), counted);
}

void Scope::count_again(std::span<const std::uint32_t> counted) const {
  for (auto number : counted) policy_->hits().add(number);
}

Ruling Scope::judge(const Operation& operation, WallTime now, std::span<const std::string_view> approved,
                    RuleHits* hits, std::vector<std::uint32_t>* counted) const {
  Ruling ruling;
  ruling.policy_version = policy_->version();
  ruling.source = shared_from_this();
  // The set is shared by many sessions; counting references on the Scope keeps cores from contending for it.
  ruling.obligations.masks = std::shared_ptr<const MaskSet>{ruling.source, masks_.get()};

  auto deny = [&](Denial denial) {
    ruling.effect = Ruling::Effect::deny;
    ruling.denial = std::move(denial);
    return std::move(ruling);
  };
  if (!facts_.principal || facts_.principal->disabled) {
    return deny({.reason = Reason::revoked, .message = "the principal of this session is disabled"});
  }
  auto known = [](Verb verb) { return verb != Verb::unknown && static_cast<std::size_t>(verb) < kVerbCount; };
  if (!known(operation.verb) || !std::ranges::all_of(operation.also, known))
    return deny(not_understood(operation, facts_));
  for (const std::string& function : operation.functions) {
    if (!std::ranges::binary_search(vouched_, function)) return deny(not_vouched(function, facts_));
  }

  Decision decision{operation};
  OperationView view{operation, now};
  collect(decision, view, ruling, hits, counted);
  if (decision.denied_by) return deny(denied(*decision.denied_by));
  for (const Decision::Grant& grant : decision.grants) {
    if (!grant.by) return deny(no_rule(operation, grant.verb, facts_));
    if (grant.widest) decision.bounds.push_back({*grant.widest, grant.by->allow->over, grant.by});
  }

  auto is_approved = [&](const Rule& rule) {
    return std::ranges::find(approved, rule.name) != approved.end();
  };
  Outcome outcome = resolve(decision.bounds, decision.asked, decision.must_say, is_approved);
  if (outcome.kind == Outcome::Kind::denied) return deny(over_limit(*outcome.bound, decision.asked));

  ruling.effect = Ruling::Effect::permit;
  auto standing =
      std::ranges::find_if(decision.standing_reviews, [&](const Rule* r) { return !is_approved(*r); });
  if (standing != decision.standing_reviews.end()) {
    ruling.effect = Ruling::Effect::review;
    ruling.review = *(*standing)->review;
  } else if (outcome.kind == Outcome::Kind::needs_review) {
    ruling.effect = Ruling::Effect::review;
    ruling.review = *outcome.bound->rule->review;
  }
  if (ruling.effect == Ruling::Effect::review) {
    // What will hold once every review that is due now has been given.
    const bool due_now = decision.asked || decision.must_say;
    outcome = resolve(decision.bounds, decision.asked, decision.must_say,
                      [&](const Rule& rule) { return is_approved(rule) || (due_now && rule.review); });
  } else if (outcome.bound && outcome.over == Over::review) {
    ruling.review = *outcome.bound->rule->review;
  }
  oblige(ruling.obligations, outcome);
  return ruling;
}

// Goes through the rules once, in policy order. A rule takes something away if it is about any of the verbs,
// and gives only for those that it is about.
void Scope::collect(Decision& decision, OperationView& view, Ruling& ruling, RuleHits* hits,
                    std::vector<std::uint32_t>* counted) const {
  RuleIndex::Bits bits = index_.candidates(view, &decision.resource);
  for (const Verb verb : view.operation().also) {
    view.look_at(verb);
    const RuleIndex::Bits more = index_.candidates(view, &decision.resource);
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] |= more[i];
  }
  std::size_t word = 0;
  while (true) {
    while (word < bits.size() && bits[word] == 0) ++word;
    if (word == bits.size()) break;
    const Candidate& candidate =
        candidates_[word * 64 + static_cast<std::size_t>(std::countr_zero(bits[word]))];
    bits[word] &= bits[word] - 1;
    const Rule& rule = *candidate.rule;
    bool grants = false;
    bool restricts = false;
    for (Decision::Grant& grant : decision.grants) {
      view.look_at(grant.verb);
      restricts =
          restricts ||
          (candidate.restricts &&
           match_operation(rule, candidate.restrict_excepts, view, Reading::broad).failed == Clause::none);
      if (!candidate.grants ||
          match_operation(rule, candidate.grant_excepts, view, Reading::narrow).failed != Clause::none) {
        continue;
      }
      grants = true;
      if (!rule.shadow) grant.add(rule);
    }
    if (!grants && !restricts) continue;
    if (hits != nullptr) {
      const auto number = static_cast<std::uint32_t>(&rule - policy_->rules().data());
      hits->add(number);
      if (counted != nullptr) counted->push_back(number);
    }
    if (rule.shadow) {
      add_shadow(rule, grants, restricts, decision.asked, ruling.shadow);
      continue;
    }
    if (restricts) decision.restrict(rule);
    if (restricts && candidate.budget) {
      ruling.quotas.push_back(candidate.budget);
      ruling.budgets.push_back(rule.name);
    }
    if (ruling.rules.empty()) ruling.rules.reserve(kUsualRules);
    ruling.rules.push_back(rule.name);
  }
}

void Scope::oblige(Obligations& obligations, const Outcome& outcome) {
  if (!outcome.bound) return;
  obligations.max_records = outcome.bound->records;
  obligations.over = outcome.over;
  obligations.clamp = outcome.clamp;
  obligations.bound_rule = outcome.bound->rule->name;
  obligations.bound_message = message_of(*outcome.bound);
  if (outcome.bound->by_match && outcome.bound->rule->deny)
    obligations.bound_hint = outcome.bound->rule->deny->hint;
}

void Scope::add_trace(const Operation& operation, WallTime now, Trace& trace) const {
  if (!facts_.principal) return;
  SessionView session{facts_};
  OperationView view{operation, now};
  for (const Rule& rule : policy_->rules()) trace.steps.push_back(trace_rule(rule, session, view));
}

}  // namespace sluice::policy
