// Scope: what of a policy can apply to one session, compiled once per session and policy version, and the
// decision.
//
//   auto scope = Scope::compile(policy, facts);
//   Ruling ruling = scope->evaluate(operation, clock.now());
//
// `evaluate` is a pure function of the policy, the session's facts, the operation, the time and the approvals
// given: the same inputs give the same Ruling, on any gateway, at any later time. It takes well under a
// microsecond with 200 rules (bench/policy_bench.cc), so it is called for each operation, each portal Execute
// and each page of a stream.
//
// How a decision is made (docs/policy.md says it for operators):
//   1. A verb that is unknown, or a function nobody vouched for, is denied; no rule can change that.
//   2. A deny rule that matches any collection of the operation denies.
//   3. Some one allow rule must match all collections of the operation, or it is denied. An operation that
//      does several things (`also`) is asked about verb by verb: each needs an allow rule, and what takes
//      something away from any of them takes it from the whole.
//   4. Bounds (of the widest matching allow, of limits, of deny and review rules over a number of records)
//      are held against the operation's own bound. What is exceeded: deny beats review beats clamp. An
//      operation without a bound gets the smallest as an obligation instead, and its reply is counted; a
//      search, which has to say how many it wants, exceeds them all.
//   5. A review rule without a number asks for a review.
//
// Approvals: `approved` names the review rules whose review has been given for exactly this operation. Their
// demand is then satisfied, and so are clamps at or below the number that they were asked for; everything
// else still holds. When two rules ask for a review, they are asked one after the other: evaluate again with
// the first one approved. For a ruling of Effect::review, `obligations` are those in force once all reviews
// are given.
//
// Immutable and thread-safe; lives as long as anybody holds it, and so does the policy behind it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "model/decision.h"
#include "model/operation.h"
#include "model/session.h"
#include "policy/policy_set.h"
#include "policy/rule_index.h"
#include "policy/trace.h"

namespace sluice::policy {

struct Outcome;  // policy/bounds.h

class Scope : public std::enable_shared_from_this<Scope> {
 public:
  ~Scope();

  // The client's address and principal are read now. A session whose principal changes gets a new Scope.
  static std::shared_ptr<const Scope> compile(std::shared_ptr<const PolicySet> policy,
                                              const SessionFacts& facts);

  // With a trace, every rule of the policy is reported with what it did or the clause that failed; slower.
  Ruling evaluate(const Operation& operation, WallTime now, Trace* trace = nullptr,
                  std::span<const std::string_view> approved = {}) const;

  // The same, and counts the rules that took part (PolicySet::hits). For decisions on what clients send.
  // `counted` gets their numbers, for whoever keeps the ruling and uses it again.
  Ruling decide(const Operation& operation, WallTime now,
                std::vector<std::uint32_t>* counted = nullptr) const;
  void count_again(std::span<const std::uint32_t> counted) const;
  // Whether a rule that can apply to this session looks at the time. If none does, the same operation gets
  // the same ruling for as long as this Scope is in force.
  bool looks_at_time() const { return looks_at_time_; }

  // All masks in force for this session. Never null. `id` depends on the content alone, so it is the same in
  // every session with the same masks and after a reload that changes none.
  const std::shared_ptr<const MaskSet>& masks() const { return masks_; }
  // Functions vouched for on this connection ("schema.name"), sorted.
  const std::vector<std::string>& vouched_functions() const { return vouched_; }
  std::uint64_t policy_version() const { return policy_->version(); }
  const PolicySet& policy() const { return *policy_; }

 private:
  struct Candidate;
  struct Decision;
  static constexpr std::size_t kUsualRules = 8;  // that take part in one decision
  Scope() = default;

  Ruling judge(const Operation& operation, WallTime now, std::span<const std::string_view> approved,
               RuleHits* hits, std::vector<std::uint32_t>* counted) const;
  void collect(Decision& decision, OperationView& view, Ruling& ruling, RuleHits* hits,
               std::vector<std::uint32_t>* counted) const;
  static void oblige(Obligations& obligations, const Outcome& outcome);
  void add_trace(const Operation& operation, WallTime now, Trace& trace) const;

  std::shared_ptr<const PolicySet> policy_;
  SessionFacts facts_;
  std::shared_ptr<const MaskSet> masks_;
  std::vector<std::string> vouched_;
  std::vector<Candidate> candidates_;  // in policy order
  RuleIndex index_;                    // over candidates_
  std::vector<Budget> budgets_;        // one per budget rule of the scope
  bool looks_at_time_ = false;
};

}  // namespace sluice::policy
