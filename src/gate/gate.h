// Gate: the one order in which an operation passes (ARCHITECTURE.md), for one session.
//
//     decide → (rewrite, by the system) → budget → review → record(intent) → Permit → forward
//
// Nobody else composes these parts, and nobody else makes a Permit. The session's protocol machine drives it:
//
//   auto proposal = gate.decide(operation);
//   if (proposal.denied()) reply(gate.refuse(std::move(proposal)));
//   auto admission = gate.admit(std::move(proposal), facts);
//   if (auto* permit = std::get_if<Permit>(&admission)) upstream.send(*permit, bytes);
//   else if (auto* wait = std::get_if<Wait>(&admission)) ...hold, then decide again
//   else reply(std::get<Refusal>(admission));
//
// Policy is live: every decide() sees the newest rules, and `still_permitted` lets a running reply ask again.
// One Gate belongs to one session and its worker's thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/published.h"
#include "gate/permit.h"
#include "gate/services.h"
#include "model/session.h"
#include "policy/scope.h"
#include "record/entry.h"
#include "review/digest.h"

namespace sluice::gate {

// A decision that nothing has come of yet.
class Proposal {
 public:
  Proposal(Proposal&&) noexcept = default;
  Proposal& operator=(Proposal&&) noexcept = default;
  Proposal(const Proposal&) = delete;
  Proposal& operator=(const Proposal&) = delete;

  bool denied() const { return ruling_->effect == Ruling::Effect::deny; }
  bool needs_review() const { return ruling_->effect == Ruling::Effect::review; }
  const Operation& operation() const { return *operation_; }
  const Ruling& ruling() const { return *ruling_; }
  const Obligations& obligations() const { return ruling_->obligations; }
  OperationId id() const { return id_; }

 private:
  friend class Gate;
  Proposal(std::shared_ptr<const Operation> operation, OperationId id, std::shared_ptr<const Ruling> ruling)
      : operation_(std::move(operation)), id_(id), ruling_(std::move(ruling)) {}
  std::shared_ptr<const Operation> operation_;
  OperationId id_;
  std::shared_ptr<const Ruling> ruling_;
};

// What an admission is bound to, beside the operation.
struct Execution {
  Digest parameters{};                    // over every bound value, for the record
  std::span<const record::Param> params;  // as the record may keep them
  review::ReviewedOperation reviewed;  // filled in by the caller where a review is needed: statement, objects
  std::string upstream_user;           // only when other than the session's
};

struct Refusal {
  Denial denial;
  std::shared_ptr<const Operation> operation;  // null: refused before it was understood
  OperationId id;
};

// A review has to come first.
struct Wait {
  ReviewId review;
  ReviewTerms terms;
  std::shared_ptr<const Operation> operation;
  OperationId id;
  std::shared_ptr<const Ruling> ruling;
};

using Admission = std::variant<Permit, Refusal, Wait>;

class Gate {
 public:
  Gate(Services& services, SessionFacts facts);

  const SessionFacts& facts() const { return facts_; }
  std::uint64_t operations() const { return recorded_; }  // permitted or refused, as the record has them
  // Records the start. Nothing may pass before it.
  Result<void> open();
  void close(record::SessionEndReason reason, std::string_view detail);

  // The masks in force now; plans are made under their id. Sees a changed policy.
  const std::shared_ptr<const MaskSet>& masks();
  std::uint64_t policy_version();
  const std::vector<std::string>& vouched_functions();  // sorted
  // The principal's membership has changed (or its epoch): later decisions use it.
  void replace_principal(std::shared_ptr<const Principal> principal);

  Proposal decide(std::shared_ptr<const Operation> operation);

  // A statement may be prepared when running it could be permitted, or reviewed.
  std::optional<PreparePermit> prepare(const Proposal& proposal);

  // Records the refusal and says what to tell the client. `why` replaces the ruling's own reason.
  Refusal refuse(Proposal proposal, std::optional<Denial> why = std::nullopt);
  // Of an operation that would have had to wait, and does not: recorded like any other refusal. Not for the
  // rest of a reply (review_rest), whose operation has an intent and gets an outcome.
  Refusal refuse(const Wait& wait, Denial why);
  // Of something that never became an operation: a syntax error, a message that does not pass.
  Refusal refuse_unread(Denial why, std::string_view text);

  // Budget, review, intent; only then is there a permit. An approval is spent here.
  Admission admit(Proposal proposal, const Execution& execution);
  // The same question without spending or recording: opens the review when one is needed and missing. For
  // requests of several operations, which pass all or none: ask for each, then admit each.
  std::variant<std::monostate, Wait, Refusal> review(const Proposal& proposal, const Execution& execution);
  // The reply reached the bound at which a rule asks for a review: the same question for the rest of it.
  std::variant<Permit, Wait, Refusal> review_rest(const Permit& permit, const Execution& execution);

  // Asks again for an operation that is running: nullopt when it may go on, else why not. Costs one relaxed
  // load while nothing has changed.
  std::optional<Denial> still_permitted(const Permit& permit);

  // Makes what was recorded so far durable in the sense of the record's settings.
  Result<void> settle();

  // Charges `records` to every budget that the ruling names: all of them, or none and false.
  bool take_budget(const Ruling& ruling, std::uint64_t records);

  // What a search of a masked vector is by its query vector (budget/probes.h). Once per search; remembered.
  budget::SearchKind look_at_search(std::string_view field, bool by_length, const QuerySketch* sketch);
  // Counts a search on a record that is about to leave with its answer, or a guess at a masked value; `id`
  // empty: on the collection. nullopt: it may.
  std::optional<Denial> take_probe(std::string_view collection, std::string_view id, std::uint64_t units,
                                   std::string_view why);

  void incident(std::string_view code, std::string_view detail);

 private:
  friend class Meter;
  const policy::Scope& scope();
  Digest binding(const Operation& operation, const Ruling& ruling, const Execution& execution) const;
  std::variant<std::monostate, Wait, Refusal> ask_review(const std::shared_ptr<const Operation>& operation,
                                                         OperationId id,
                                                         const std::shared_ptr<const Ruling>& ruling,
                                                         const Execution& execution);
  Refusal record_refusal(Refusal refusal, const Ruling* ruling, std::string_view text);
  // Spends approvals until the ruling needs none, or says what is missing. `reviews` collects their ids.
  std::variant<std::monostate, Wait, Refusal> spend_reviews(Proposal& proposal, const Execution& execution,
                                                            std::string& reviews);

  Services& services_;
  SessionFacts facts_;
  PublishedReader<policy::PolicySet> policies_;
  std::shared_ptr<const policy::Scope> scope_;
  // The last rulings of this scope, by the identity of their operations, which they keep alive: a prepared
  // statement has one operation for all its executions. Used only while no rule looks at the time.
  struct Known {
    std::shared_ptr<const Operation> operation;
    std::shared_ptr<const Ruling> ruling;
    std::vector<std::uint32_t> counted;
  };
  static constexpr std::size_t kKnown = 4;  // statements that a session executes in turn; a kilobyte each
  std::array<Known, kKnown> known_;
  std::size_t next_known_ = 0;
  std::uint64_t last_operation_ = 0;  // number of the last proposal; not all of them come to be
  std::uint64_t recorded_ = 0;
  std::uint64_t ruled_before_ = 0;  // operations up to this one were decided for what the principal was then
};

}  // namespace sluice::gate
