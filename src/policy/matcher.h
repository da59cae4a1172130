// Whether a rule is about a session and an operation. Each question is answered with the first clause that
// fails, so that deciding and explaining are one piece of code; Clause::none means that all hold.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "model/operation.h"
#include "model/session.h"
#include "policy/name_pattern.h"
#include "policy/network.h"
#include "policy/rule.h"
#include "policy/trace.h"

namespace sluice::policy {

// A session's facts, ready to be matched. `facts.principal` must not be null. The facts must outlive the
// view.
struct SessionView {
  explicit SessionView(const SessionFacts& session);
  const SessionFacts& facts;
  std::optional<Address> address;
};

// An operation, ready to be matched; made once per decision. The operation must outlive the view.
class OperationView {
 public:
  OperationView(const Operation& operation, WallTime now);

  const Operation& operation() const { return operation_; }
  // The verb that rules are asked about. An operation that does several things is decided verb by verb.
  Verb verb() const { return verb_; }
  void look_at(Verb verb) { verb_ = verb; }
  WallTime now() const { return now_; }
  // An operation that touches no collection is still matched once, at kNowhere.
  std::size_t collections() const { return operation_.collections.size(); }
  const Name& name(std::size_t at) const { return at < kInline ? inline_[at] : more_[at - kInline]; }
  OperationView(const OperationView&) = delete;  // names point into it
  OperationView& operator=(const OperationView&) = delete;
  bool returns_scores() const { return returns_scores_; }

 private:
  static constexpr std::size_t kInline = 8;  // joins of more are rare enough to allocate
  const Operation& operation_;
  Verb verb_;  // the operation's own, until look_at
  WallTime now_;
  std::array<Name, kInline> inline_;
  std::vector<Name> more_;
  std::array<char, 256> folded_;  // the names in lower case, where they fit
  std::string folded_more_;
  bool returns_scores_;
};
inline constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

Clause session_clause(const Criteria& criteria, const SessionView& session, Reading reading);
// For the collection with that index.
Clause operation_clause(const Criteria& criteria, const OperationView& view, std::size_t at, Reading reading);

// What of a rule is left for one session: whether its match can hold, and which of its excepts still count.
struct SessionMatch {
  Clause failed = Clause::none;
  std::uint8_t excepts = 0;  // bit n: except n holds as far as the session goes
};
SessionMatch match_session(const Rule& rule, const SessionView& session, Reading reading);

struct OperationMatch {
  Clause failed = Clause::none;
  std::size_t at = kNowhere;  // the collection that decided
};
// Broadly: some collection is matched and not excepted. Narrowly: every one is.
OperationMatch match_operation(const Rule& rule, std::uint8_t excepts, const OperationView& view,
                               Reading reading);

}  // namespace sluice::policy
