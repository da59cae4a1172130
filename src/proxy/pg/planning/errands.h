// Errands: what planning a large statement takes, done on another thread while the client's message waits.
//
//   auto planned = errands.ask<Planned>({Kind::plan, nullptr, 0}, stamp,
//                                       [&] { return job that owns its inputs; });
//   if (!planned) return Pause::errand;   // the same message is handed in again once it has been done
//
// The driver takes the errand (`under_way()`), runs it anywhere, and says `over()` on the session's own
// thread. What came of it is kept until the message has been dealt with (`forget`), because a message may
// need several: the plan, the same with a limit, the bytes to send. It is thrown away where the session does
// not stand any more as it did when the errand was given (`Stamp`): the catalogue, the policy or the names
// have changed, so it is made again.
//
// An errand owns all that it uses, except bytes of the client's message that are more than kLoopBytes: those
// the driver keeps where they are until it has run. So the session may end meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "proxy/pg/planning/plan.h"
#include "proxy/pg/planning/statement_size.h"

namespace sluice::proxy::pg {

// A text for an errand: copied while it is short, and a view of bytes that stay otherwise.
class KeptText {
 public:
  explicit KeptText(std::string_view text) : view_(text) {
    if (text.size() <= kLoopBytes) own_ = std::make_unique<const std::string>(text);
  }
  std::string_view get() const { return own_ ? std::string_view{*own_} : view_; }

 private:
  std::unique_ptr<const std::string> own_;
  std::string_view view_;
};

class Errand {
 public:
  using Work = std::move_only_function<std::shared_ptr<void>()>;
  explicit Errand(Work work) : work_(std::move(work)) {}
  // On any thread, once. What it used is let go there.
  void run() {
    result_ = work_();
    work_ = nullptr;
  }

 private:
  friend class Errands;
  Work work_;
  std::shared_ptr<void> result_;
};

class Errands {
 public:
  enum class Kind : std::uint8_t { plan, clamp, bind, look, encode };
  struct Key {
    Kind kind = Kind::plan;
    const void* about = nullptr;  // a plan that the errand keeps alive; null: the message's own text
    std::uint64_t number = 0;
    bool operator==(const Key&) const = default;
  };
  struct Stamp {
    Basis basis;
    std::uint64_t policy = 0;
    std::uint64_t names = 0;
    bool fresh = false;
    bool moved = false;
    bool operator==(const Stamp&) const = default;
  };

  // What came of it; null: it has been given, and is under way. `make_work` answers a function, which answers
  // a std::shared_ptr<T>.
  template <class T, class MakeWork>
  std::shared_ptr<T> ask(const Key& key, const Stamp& stamp, MakeWork make_work) {
    if (stamp != stamp_) {
      done_.clear();
      stamp_ = stamp;
    }
    for (const auto& [known, errand] : done_) {
      if (known == key) return std::static_pointer_cast<T>(errand->result_);
    }
    asked_ = key;
    under_way_ =
        std::make_shared<Errand>([work = make_work()]() mutable -> std::shared_ptr<void> { return work(); });
    return nullptr;
  }

  bool is_under_way() const { return under_way_ != nullptr; }
  const std::shared_ptr<Errand>& under_way() const { return under_way_; }
  const Key& asked() const { return asked_; }
  // It has run, or could not be taken: then there is no room for it.
  void over() { done_.emplace_back(asked_, std::exchange(under_way_, nullptr)); }
  void refused() {
    under_way_ = nullptr;
    no_room_ = true;
  }
  bool has_no_room() const { return no_room_; }
  // The message has been dealt with.
  void forget() {
    if (!done_.empty()) done_.clear();
    no_room_ = false;
  }

 private:
  Stamp stamp_;
  Key asked_;
  std::shared_ptr<Errand> under_way_;
  std::vector<std::pair<Key, std::shared_ptr<Errand>>> done_;
  bool no_room_ = false;
};

}  // namespace sluice::proxy::pg
