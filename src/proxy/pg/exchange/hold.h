// Hold: whether the client of an operation that needs a review is kept waiting for it, and what it is told
// otherwise.
//
//   switch (hold.ask(wait, has_written)) {
//     case Hold::Answer::wait: ...                  // the message is looked at again once `end` was called
//     case Hold::Answer::cancelled: ...             // the client does not want it any more
//     case Hold::Answer::not_now: ...               // an error: the same operation may be sent again
//     case Hold::Answer::has_written: ...           // the same, and waiting would keep others waiting
//   }
//
// A message is kept and handed in again after the hold, so the hold remembers how it ended until that has
// been looked at (`forget_end`). Belongs to one session.
#pragma once

#include <optional>

#include "gate/gate.h"

namespace sluice::proxy::pg {

struct Waiting {
  ReviewId review;
  ReviewTerms terms;
};

class Hold {
 public:
  enum class End : std::uint8_t { decided, timed_out, cancelled };
  enum class Answer : std::uint8_t { wait, cancelled, not_now, has_written };

  // `has_written`: in a transaction, whose locks others would wait for.
  Answer ask(const gate::Wait& wait, bool has_written);
  // True once for each review: the client has to be told.
  bool is_news(const ReviewId& review);

  bool waiting() const { return waiting_.has_value(); }
  const Waiting& what() const { return *waiting_; }  // only while waiting()
  void end(End end) {
    waiting_.reset();
    ended_ = end;
  }
  void forget_end() { ended_.reset(); }

 private:
  std::optional<Waiting> waiting_;
  std::optional<End> ended_;
  ReviewId told_;
};

}  // namespace sluice::proxy::pg
