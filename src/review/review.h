// Review: one just-in-time approval of one operation, as a pure state machine.
//
//   pending ──approve × quorum──▶ approved ──use × uses──▶ used
//      ├────reject (one is enough)──▶ rejected
//      └────nobody decides──▶ expired ◀──valid_for passed── approved
//
// Nobody decides on their own request. An approval counts only while its approver is active and still among
// those whom the rule names; it is checked again when the review is used. The functions here change a Review
// value and touch nothing else; review/reviews.h keeps them, locks and persists.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/crypto.h"
#include "core/result.h"
#include "model/decision.h"
#include "model/ids.h"
#include "model/operation.h"
#include "model/principal.h"

namespace sluice::review {

// On-disk and API values: never renumber.
enum class ReviewState : std::uint8_t { pending = 1, approved = 2, rejected = 3, expired = 4, used = 5 };
std::string_view to_string(ReviewState state);
std::optional<ReviewState> review_state_from(std::string_view name);

// What the approver sees. Holds no parameter, no masked literal: `statement` is Operation::text.
struct ReviewRequest {
  Digest digest{};  // review/digest.h
  std::string principal;
  std::string connection;
  std::string role;
  std::string system;
  Verb verb = Verb::unknown;
  std::string statement;
  std::vector<std::string> collections;
  std::optional<std::uint64_t> max_records;  // the bound of the request, when it has one
  // How many records it will be about: `max_records`, or what the database's statistics say of the
  // collections that it reads. Informs, never decides.
  std::optional<std::uint64_t> estimated_records;
  std::vector<std::string> masks;  // "public.docs.email: redact"
  std::string client_address;
  std::string session;    // SessionId as text
  std::string operation;  // format_operation()
  ReviewTerms terms;
};

struct Vote {
  std::string approver;
  bool approve = false;
  std::string comment;
  WallTime at;
};

struct Review {
  ReviewId id;
  ReviewRequest request;
  ReviewState state = ReviewState::pending;
  WallTime opened;
  WallTime expires;  // pending: decided by then or never; approved: used by then; others: when it ended
  std::vector<Vote> votes;
  std::uint32_t uses_left = 0;  // set by the approval
};

inline constexpr std::size_t kMaxCommentLength = 2000;  // bytes; a sentence or two, shown to the client

// Finds a principal as it is now; null when there is none. Thread-safe.
using PrincipalLookup = std::function<std::shared_ptr<const Principal>(std::string_view name)>;

// "group:x", "user:x" or "role:x"; anything else matches nobody, as does an empty list.
bool matches_any(const Principal& principal, const std::vector<std::string>& by);

// Who answers for a principal: a machine's owner (who may be a machine again), everybody else for themselves.
// A second person is one who is another here. Empty: owners go round in a circle.
std::string answerable(std::string_view name, const PrincipalLookup& find);

// Whether this principal may decide this review at all (not: whether it is still open).
Result<void> may_decide(const Review& review, const Principal& approver, const PrincipalLookup& find);

// Adds the vote and moves the state. Errc::forbidden (not theirs), Errc::conflict (decided already, voted
// already).
Result<void> cast_vote(Review& review, const Principal& approver, bool approve, std::string comment,
                       WallTime now, const PrincipalLookup& find);

// Moves to expired when its time is over. True when that changed something.
bool expire(Review& review, WallTime now);

// People whose approvals count now.
std::uint32_t standing_approvals(const Review& review, const PrincipalLookup& find);

}  // namespace sluice::review
