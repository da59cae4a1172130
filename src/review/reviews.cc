#include "review/reviews.h"

#include <algorithm>

#include "core/log.h"
#include "core/metrics.h"
#include "core/random.h"

namespace sluice::review {
namespace {

constexpr std::size_t kReviewIdLength =
    10;  // characters of [a-z0-9]: 51 bits, unique among all and easy to type

std::uint32_t quorum(const ReviewTerms& terms) {
  return std::max<std::uint32_t>(terms.approvals, 1);
}

std::string approvers(const Review& review) {
  std::string names;
  for (const auto& vote : review.votes) {
    if (!vote.approve) continue;
    if (!names.empty()) names += ", ";
    names += vote.approver;
  }
  return names;
}

// A rejection stands for as long as an approval would have: asking again at once does not wear an approver
// down.
WallTime stands_until(const Review& rejected) {
  return rejected.expires + rejected.request.terms.valid_for;
}

bool is_over(const Review& review, WallTime now) {
  switch (review.state) {
    case ReviewState::pending:
    case ReviewState::approved: return false;
    case ReviewState::rejected: return stands_until(review) <= now;
    case ReviewState::expired:
    case ReviewState::used: return true;
  }
  return true;
}

}  // namespace

Reviews::Reviews(const Clock& clock, ReviewRepository& repository, PrincipalLookup find, Notifier* notifier,
                 Limits limits)
    : clock_(clock), repository_(repository), find_(std::move(find)), notifier_(notifier), limits_(limits) {}

Result<void> Reviews::restore() {
  // The longest that a rejection can stand decides how far back to look; policy bounds valid_for to 30 days.
  constexpr auto kLongestRejection = std::chrono::days{30};
  const auto now = clock_.now();
  TRY(auto unfinished, repository_.unfinished(now - kLongestRejection));
  std::lock_guard lock(mutex_);
  for (auto& review : unfinished) {
    if (is_over(review, now)) continue;
    auto id = review.id.value;
    by_key_[{review.request.digest, review.request.principal}] = id;
    entries_.insert_or_assign(std::move(id), Entry{std::move(review), {}});
  }
  return {};
}

// Runs `change` under the lock and tells of what it changed after it: also when it failed half-way. News
// leave one after the other in the order in which they happened, or a notifier would hear that a review was
// used before it hears that it was approved: whoever finds nobody telling tells all that there is to tell.
template <class Change>
auto Reviews::announcing(Change&& change) {
  std::unique_lock lock(mutex_);
  auto result = change(news_);
  if (std::exchange(telling_, true)) return result;
  while (!news_.empty()) {
    const auto item = std::move(news_.front());
    news_.pop_front();
    lock.unlock();
    tell(item);
    lock.lock();
  }
  telling_ = false;
  return result;
}

void Reviews::tell(const Announcement& news) const {
  metrics::counter("sluice_reviews_total", "Reviews that reached a state",
                   {{"state", std::string{to_string(news.review.state)}}})
      .increment();
  for (const auto& callback : news.callbacks) callback(news.change);
  if (notifier_ != nullptr) notifier_->review_changed(news.review);
}

Result<Ticket> Reviews::open_or_find(const ReviewRequest& request) {
  return announcing([&](auto& out) { return open_locked(request, out); });
}

Result<Consumption> Reviews::consume(const Digest& digest, std::string_view principal) {
  return announcing([&](auto& out) { return consume_locked(digest, principal, out); });
}

Result<Review> Reviews::decide(const ReviewId& id, const Principal& approver, bool approve,
                               std::string comment) {
  return announcing([&](auto& out) { return decide_locked(id, approver, approve, std::move(comment), out); });
}

Result<Ticket> Reviews::open_locked(const ReviewRequest& request, Announcements& out) {
  // What they have been given they cannot use either (consume): another one would not help.
  const auto requester = find_(request.principal);
  if (!requester || requester->disabled) {
    return fail(Errc::forbidden, "\"{}\" is disabled, or not there any more", request.principal);
  }
  const auto now = clock_.now();
  if (auto* entry = find_by_digest(request.digest, request.principal)) {
    CHECK_OK(expire_if_due(*entry, now, out));
    if (!is_over(entry->review, now)) {
      return Ticket{entry->review.id, entry->review.state, false, entry->review.expires};
    }
    forget(ReviewId{entry->review.id});
  }
  const auto pending = std::ranges::count_if(entries_, [&](const auto& item) {
    const auto& review = item.second.review;
    return review.state == ReviewState::pending && review.request.principal == request.principal;
  });
  if (static_cast<std::size_t>(pending) >= limits_.pending_per_principal || entries_.size() >= limits_.live) {
    return fail(Errc::too_large, "too many undecided reviews: {} of \"{}\", {} in all", pending,
                request.principal, entries_.size());
  }
  Entry entry;
  entry.review.id = ReviewId{"rv_" + random_identifier(kReviewIdLength)};
  entry.review.request = request;
  entry.review.opened = now;
  entry.review.expires = now + limits_.pending_for;
  CHECK_OK(repository_.save(entry.review));
  const auto id = entry.review.id;
  const auto expires = entry.review.expires;
  out.push_back({entry.review, {id, ReviewState::pending, {}, {}}, {}});
  by_key_[{request.digest, request.principal}] = id.value;
  entries_.emplace(id.value, std::move(entry));
  return Ticket{id, ReviewState::pending, true, expires};
}

Result<Consumption> Reviews::consume_locked(const Digest& digest, std::string_view principal,
                                            Announcements& out) {
  auto* entry = find_by_digest(digest, principal);
  if (entry == nullptr) return Consumption{};
  const auto now = clock_.now();
  CHECK_OK(expire_if_due(*entry, now, out));
  const ReviewId id = entry->review.id;
  switch (entry->review.state) {
    case ReviewState::pending: return Consumption{Outcome::not_yet, id, {}, {}, 0};
    case ReviewState::expired:
    case ReviewState::used: forget(id); return Consumption{Outcome::expired, id, {}, {}, 0};
    case ReviewState::rejected: {
      if (is_over(entry->review, now)) {
        forget(id);
        return Consumption{};
      }
      const auto& vote = entry->review.votes.back();
      return Consumption{Outcome::rejected, id, vote.approver, vote.comment, 0};
    }
    case ReviewState::approved: break;
  }
  // Both sides are looked at again: the requester may have been disabled, an approver may have left.
  const auto requester = find_(principal);
  if (!requester || requester->disabled) return Consumption{Outcome::not_yet, id, {}, {}, 0};
  auto next = entry->review;
  if (standing_approvals(next, find_) < quorum(next.request.terms)) {
    // It is over, so that the next request opens a review which somebody else can approve.
    next.state = ReviewState::expired;
    next.expires = now;
    CHECK_OK(move_to(*entry, std::move(next), {}, "an approval no longer stands", out));
    forget(id);
    return Consumption{Outcome::expired, id, {}, {}, 0};
  }
  if (--next.uses_left == 0) {
    next.state = ReviewState::used;
    next.expires = now;
  }
  Consumption answer{Outcome::used, id, approvers(next), {}, next.uses_left};
  CHECK_OK(move_to(*entry, std::move(next), std::string(principal), {}, out));
  if (entry->review.state == ReviewState::used) forget(id);
  return answer;
}

Result<Review> Reviews::decide_locked(const ReviewId& id, const Principal& approver, bool approve,
                                      std::string comment, Announcements& out) {
  auto at = entries_.find(id.value);
  if (at == entries_.end()) {
    TRY(auto ended, repository_.review(id));
    return fail(Errc::conflict, "review {} is {} already", id.value, to_string(ended.state));
  }
  const auto now = clock_.now();
  CHECK_OK(expire_if_due(at->second, now, out));
  auto next = at->second.review;
  CHECK_OK(cast_vote(next, approver, approve, comment, now, find_));
  CHECK_OK(move_to(at->second, std::move(next), approver.name, std::move(comment), out));
  return at->second.review;
}

Result<Reviews::Subscribed> Reviews::subscribe(const ReviewId& id,
                                               std::function<void(const Change&)> on_change) {
  std::lock_guard lock(mutex_);
  auto at = entries_.find(id.value);
  if (at == entries_.end()) return fail(Errc::not_found, "there is no open review {}", id.value);
  const auto subscription = next_subscription_++;
  at->second.subscribers.emplace(subscription, std::move(on_change));
  subscriptions_.emplace(subscription, id.value);
  return Subscribed{subscription, at->second.review.state};
}

void Reviews::unsubscribe(SubscriptionId subscription) {
  std::lock_guard lock(mutex_);
  auto at = subscriptions_.find(subscription);
  if (at == subscriptions_.end()) return;
  if (auto entry = entries_.find(at->second); entry != entries_.end())
    entry->second.subscribers.erase(subscription);
  subscriptions_.erase(at);
}

void Reviews::sweep() {
  const auto done = announcing([&](auto& out) -> Result<void> {
    const auto now = clock_.now();
    std::vector<ReviewId> over;
    Result<void> saved;
    for (auto& [id, entry] : entries_) {
      // When saving fails it stays as it was and is tried again by the next sweep; being past its time,
      // nobody can use or decide it meanwhile.
      if (auto expired = expire_if_due(entry, now, out); !expired) saved = expired;
      if (is_over(entry.review, now)) over.emplace_back(id);
    }
    for (const auto& id : over) forget(id);
    return saved;
  });
  if (!done) log::error("expired reviews could not be saved", {{"error", done.error().message()}});
}

Result<Review> Reviews::show(const ReviewId& id) {
  {
    std::lock_guard lock(mutex_);
    if (auto at = entries_.find(id.value); at != entries_.end()) return at->second.review;
  }
  return repository_.review(id);
}

std::vector<Review> Reviews::live() const {
  std::vector<Review> out;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) {
      if (entry.review.state == ReviewState::pending || entry.review.state == ReviewState::approved) {
        out.push_back(entry.review);
      }
    }
  }
  std::ranges::sort(out, {}, [](const Review& review) { return std::pair{review.opened, review.id.value}; });
  return out;
}

std::size_t Reviews::pending_count() const {
  std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      entries_, [](const auto& item) { return item.second.review.state == ReviewState::pending; }));
}

Reviews::Entry* Reviews::find_by_digest(const Digest& digest, std::string_view principal) {
  auto key = by_key_.find({digest, std::string(principal)});
  if (key == by_key_.end()) return nullptr;
  auto at = entries_.find(key->second);
  return at == entries_.end() ? nullptr : &at->second;
}

Result<void> Reviews::expire_if_due(Entry& entry, WallTime now, Announcements& out) {
  auto next = entry.review;
  if (!expire(next, now)) return {};
  return move_to(entry, std::move(next), {}, {}, out);
}

// Saved first: a state that others can see is a state that survives.
Result<void> Reviews::move_to(Entry& entry, Review next, std::string by, std::string comment,
                              Announcements& out) {
  CHECK_OK(repository_.save(next));
  const bool changed = next.state != entry.review.state;
  entry.review = std::move(next);
  if (!changed) return {};  // one of several approvals or uses
  Announcement news{
      entry.review, {entry.review.id, entry.review.state, std::move(by), std::move(comment)}, {}};
  for (const auto& [subscription, callback] : entry.subscribers) news.callbacks.push_back(callback);
  out.push_back(std::move(news));
  return {};
}

void Reviews::forget(const ReviewId& id) {
  auto at = entries_.find(id.value);
  if (at == entries_.end()) return;
  for (const auto& [subscription, callback] : at->second.subscribers) subscriptions_.erase(subscription);
  const auto& request = at->second.review.request;
  auto key = by_key_.find({request.digest, request.principal});
  if (key != by_key_.end() && key->second == id.value) by_key_.erase(key);
  entries_.erase(at);
}

}  // namespace sluice::review
