#include "review/review.h"

#include <algorithm>
#include <set>

namespace sluice::review {

std::string_view to_string(ReviewState state) {
  switch (state) {
    case ReviewState::pending: return "pending";
    case ReviewState::approved: return "approved";
    case ReviewState::rejected: return "rejected";
    case ReviewState::expired: return "expired";
    case ReviewState::used: return "used";
  }
  return "expired";
}

std::optional<ReviewState> review_state_from(std::string_view name) {
  for (auto state : {ReviewState::pending, ReviewState::approved, ReviewState::rejected, ReviewState::expired,
                     ReviewState::used}) {
    if (name == to_string(state)) return state;
  }
  return std::nullopt;
}

bool matches_any(const Principal& principal, const std::vector<std::string>& by) {
  if (principal.disabled) return false;
  const auto holds = [](const std::vector<std::string>& list, std::string_view name) {
    return std::ranges::find(list, name) != list.end();
  };
  return std::ranges::any_of(by, [&](std::string_view who) {
    const auto colon = who.find(':');
    if (colon == std::string_view::npos || colon + 1 == who.size()) return false;
    const auto kind = who.substr(0, colon);
    const auto name = who.substr(colon + 1);
    if (kind == "group") return holds(principal.groups, name);
    if (kind == "role") return holds(principal.roles, name);
    return kind == "user" && principal.name == name;
  });
}

std::string answerable(std::string_view name, const PrincipalLookup& find) {
  constexpr int kMaxOwners = 8;  // one above the other; a service's agent's tool has three
  std::string who{name};
  for (int i = 0; i < kMaxOwners; ++i) {
    const auto principal = find(who);
    if (!principal || principal->kind != PrincipalKind::machine || principal->owner.empty()) return who;
    who = principal->owner;
  }
  return {};
}

Result<void> may_decide(const Review& review, const Principal& approver, const PrincipalLookup& find) {
  const auto who = answerable(approver.name, find);
  if (approver.name == review.request.principal || who.empty() ||
      who == answerable(review.request.principal, find)) {
    return fail(Errc::forbidden, "nobody decides on their own request, nor on one of a machine of theirs");
  }
  if (!matches_any(approver, review.request.terms.by)) {
    return fail(Errc::forbidden, "rule \"{}\" does not name \"{}\" as an approver", review.request.terms.rule,
                approver.name);
  }
  return {};
}

Result<void> cast_vote(Review& review, const Principal& approver, bool approve, std::string comment,
                       WallTime now, const PrincipalLookup& find) {
  CHECK_OK(may_decide(review, approver, find));
  if (comment.size() > kMaxCommentLength) {
    return fail(Errc::too_large, "a comment has at most {} bytes", kMaxCommentLength);
  }
  if (review.state != ReviewState::pending || review.expires <= now) {
    return fail(Errc::conflict, "review {} is {} already", review.id.value,
                to_string(review.state == ReviewState::pending ? ReviewState::expired : review.state));
  }
  // An approver may change an approval into a rejection before the quorum, but not count twice: not with the
  // help of a machine either.
  const auto who = answerable(approver.name, find);
  auto mine = std::ranges::find_if(review.votes,
                                   [&](const Vote& vote) { return answerable(vote.approver, find) == who; });
  if (mine != review.votes.end()) {
    if (mine->approve == approve) {
      return fail(Errc::conflict, "\"{}\" has approved review {} already", mine->approver, review.id.value);
    }
    review.votes.erase(mine);
  }
  review.votes.push_back({approver.name, approve, std::move(comment), now});
  const auto& terms = review.request.terms;
  if (!approve) {
    review.state = ReviewState::rejected;
    review.expires = now;
    return {};
  }
  const auto approvals = std::ranges::count(review.votes, true, &Vote::approve);
  if (static_cast<std::uint64_t>(approvals) >= std::max<std::uint32_t>(terms.approvals, 1)) {
    review.state = ReviewState::approved;
    review.uses_left = std::max<std::uint32_t>(terms.uses, 1);
    review.expires = now + terms.valid_for;
  }
  return {};
}

bool expire(Review& review, WallTime now) {
  const bool open = review.state == ReviewState::pending || review.state == ReviewState::approved;
  if (!open || review.expires > now) return false;
  review.state = ReviewState::expired;
  return true;
}

std::uint32_t standing_approvals(const Review& review, const PrincipalLookup& find) {
  std::set<std::string> people;
  for (const auto& vote : review.votes) {
    if (!vote.approve) continue;
    const auto approver = find(vote.approver);
    if (approver && may_decide(review, *approver, find)) people.insert(answerable(approver->name, find));
  }
  return static_cast<std::uint32_t>(people.size());
}

}  // namespace sluice::review
