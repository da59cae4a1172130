// Reviews: all live reviews of this gateway. Worker threads ask it for permission, approvers answer through
// the API.
//
//   auto ticket = reviews.open_or_find(request);             // the same digest finds the same review
//   switch (reviews.consume(request.digest, principal).outcome) {
//     case Outcome::used: forward();                         // durable: this use is spent, also after a
//     crash case Outcome::not_yet: hold: subscribe(ticket.id, ...) // then consume() again when the callback
//     says approved case Outcome::rejected: refuse(who, comment);  ...
//   }
//
// What `consume` promises: it answers `used` only after the spent use has been saved, so a killed process
// cannot spend it twice. Saving is one local transaction (tens of microseconds; no fdatasync unless the store
// is set so) on the calling thread: reviews are rare and bounded (kMaxPendingPerPrincipal), so a queue would
// buy nothing but a way to be wrong. Everything else about the data path stays free of the store.
//
// Threads: thread-safe. Callbacks and the notifier run without any lock held, in the order of the changes, on
// a thread that caused one (an API thread, a worker, or the one that calls sweep()); they must not block:
// post to your own executor. After `unsubscribe` returns no new call starts, but one that has started may
// still be running: capture a weak_ptr.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "review/notifier.h"
#include "review/repository.h"
#include "review/review.h"

namespace sluice::review {

struct Ticket {
  ReviewId id;
  ReviewState state = ReviewState::pending;
  bool opened = false;  // true: this call made it
  WallTime expires;     // pending: decided by then or never
};

enum class Outcome : std::uint8_t { used, not_yet, rejected, expired, none };

struct Consumption {
  Outcome outcome = Outcome::none;  // none: no review of this digest: open one
  ReviewId id;
  std::string decided_by;       // rejected: who; used: the approvers, comma separated
  std::string comment;          // rejected: why
  std::uint32_t uses_left = 0;  // used: after this one
};

// How a review moved; what a held client waits for.
struct Change {
  ReviewId id;
  ReviewState state = ReviewState::pending;
  std::string by;
  std::string comment;
};

using SubscriptionId = std::uint64_t;

class Reviews {
 public:
  struct Limits {
    std::chrono::seconds pending_for = std::chrono::hours{24};  // nobody decides: expired after this
    std::size_t pending_per_principal = 50;                     // a looping agent must not bury the approvers
    std::size_t live = 10'000;                                  // all together, in memory
  };

  // Everything given must outlive it. `notifier` may be null.
  Reviews(const Clock& clock, ReviewRepository& repository, PrincipalLookup find, Notifier* notifier,
          Limits limits);
  Reviews(const Clock& clock, ReviewRepository& repository, PrincipalLookup find, Notifier* notifier)
      : Reviews(clock, repository, std::move(find), notifier, Limits{}) {}

  // Loads what was live when the last process ended. Once, before anything else.
  Result<void> restore();

  // A pending, approved or standing rejected review of the same digest and principal, or a new pending one. A
  // rejection stands as long as an approval would have been valid (terms.valid_for). Errc::too_large over the
  // limits.
  Result<Ticket> open_or_find(const ReviewRequest& request);

  // Spends one use, when enough approvals stand now. `principal` must be the requester. The Error means that
  // the spending could not be saved: nothing may pass.
  Result<Consumption> consume(const Digest& digest, std::string_view principal);

  // A vote. Errors of cast_vote; Errc::not_found. Answers the review as it is afterwards.
  Result<Review> decide(const ReviewId& id, const Principal& approver, bool approve, std::string comment);

  // Calls `on_change` whenever the review's state changes. Answers the state now, so that no change is
  // missed.
  struct Subscribed {
    SubscriptionId subscription = 0;
    ReviewState state = ReviewState::pending;
  };
  Result<Subscribed> subscribe(const ReviewId& id, std::function<void(const Change&)> on_change);
  void unsubscribe(SubscriptionId subscription);

  // Expires what is due. Call about once a second.
  void sweep();

  // A copy; also of reviews that have ended (from the repository).
  Result<Review> show(const ReviewId& id);
  // Pending and approved ones, oldest first. Ended ones: ReviewRepository::reviews.
  std::vector<Review> live() const;
  std::size_t pending_count() const;

 private:
  struct Entry {
    Review review;
    std::unordered_map<SubscriptionId, std::function<void(const Change&)>> subscribers;
  };
  struct Announcement {
    Review review;
    Change change;
    std::vector<std::function<void(const Change&)>> callbacks;
  };

  using Announcements = std::deque<Announcement>;

  template <class Change>
  auto announcing(Change&& change);
  void tell(const Announcement& news) const;
  Result<Ticket> open_locked(const ReviewRequest& request, Announcements& out);
  Result<Consumption> consume_locked(const Digest& digest, std::string_view principal, Announcements& out);
  Result<Review> decide_locked(const ReviewId& id, const Principal& approver, bool approve,
                               std::string comment, Announcements& out);
  Result<void> expire_if_due(Entry& entry, WallTime now, Announcements& out);
  Result<void> move_to(Entry& entry, Review next, std::string by, std::string comment, Announcements& out);
  Entry* find_by_digest(const Digest& digest, std::string_view principal);
  void forget(const ReviewId& id);

  const Clock& clock_;
  ReviewRepository& repository_;
  PrincipalLookup find_;
  Notifier* notifier_;
  Limits limits_;

  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;             // by review id
  std::map<std::pair<Digest, std::string>, std::string> by_key_;  // digest and requester → review id
  std::unordered_map<SubscriptionId, std::string> subscriptions_;
  SubscriptionId next_subscription_ = 1;
  Announcements news_;    // that nobody has told yet
  bool telling_ = false;  // some thread does
};

}  // namespace sluice::review
