#include "proxy/pg/exchange/hold.h"

namespace sluice::proxy::pg {

Hold::Answer Hold::ask(const gate::Wait& wait, bool has_written) {
  if (ended_ == End::cancelled) return Answer::cancelled;
  if (ended_ == End::timed_out || wait.terms.hold.count() == 0) return Answer::not_now;
  if (has_written) return Answer::has_written;
  waiting_ = Waiting{wait.review, wait.terms};
  return Answer::wait;
}

bool Hold::is_news(const ReviewId& review) {
  if (told_ == review) return false;
  told_ = review;
  return true;
}

}  // namespace sluice::proxy::pg
