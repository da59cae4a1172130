// Notifier: tells the world outside about reviews (a webhook, mail, chat). Called on each change of a
// review's state, from any thread, without a lock held. It must not block and cannot fail: delivery is its
// own business.
#pragma once

#include "review/review.h"

namespace sluice::review {

class Notifier {
 public:
  virtual ~Notifier() = default;
  // `review` is as it is after the change; for a new one its state is pending.
  virtual void review_changed(const Review& review) = 0;
};

}  // namespace sluice::review
