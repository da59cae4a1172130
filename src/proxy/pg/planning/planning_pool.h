// PlanningPool: the threads on which large statements are planned (errands.h), for all sessions of the
// gateway.
//
//   if (!pool.plan([errand] { errand->run(); ... })) ...   // too many wait already
//   pool.go_on([errand] { ... });                          // the same for one that has been let in
//   auto held = PlanningPool::held(pool, std::move(plan)); // freed there: a tree of hundreds of megabytes
//
// First come, first served. Two threads, whatever the machine: planning a statement of the largest size takes
// some 30 times its text, and this is what bounds it for all of them together. Thread-safe. What runs
// answers to the workers' loops, which must outlive the pool; what it was to free and still lives then is
// freed where it ends.
#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>

#include "core/thread_name.h"

namespace sluice::proxy::pg {

class PlanningPool {
 public:
  static constexpr std::size_t kThreads = 2;
  // Statements that wait for a thread, each with its text of up to 16 MiB; more are told to come again.
  static constexpr std::size_t kMostWaiting = 64;

  PlanningPool() = default;
  PlanningPool(const PlanningPool&) = delete;
  PlanningPool& operator=(const PlanningPool&) = delete;

  using Job = std::move_only_function<void()>;
  bool plan(Job& job) {  // left as it is when there is no room
    if (waiting_.fetch_add(1) >= kMostWaiting) {
      waiting_.fetch_sub(1);
      return false;
    }
    post([this, own = std::move(job)]() mutable {
      waiting_.fetch_sub(1);
      own();
    });
    return true;
  }
  void go_on(Job job) { post(std::move(job)); }

  // The same object, which is freed on a thread of the pool when nobody holds it any more.
  template <class T>
  static std::shared_ptr<const T> held(const std::weak_ptr<PlanningPool>& pool,
                                       std::shared_ptr<const T> object) {
    const auto* raw = object.get();
    return {raw, [pool, own = std::move(object)](const T*) mutable {
              if (on_its_thread_) return;  // as `own` goes; nor may a pool end on a thread of its own
              if (const auto alive = pool.lock())
                alive->post([own = std::move(own)]() mutable { own.reset(); });
            }};
  }

 private:
  void post(Job job) {
    boost::asio::post(pool_, [own = std::move(job)]() mutable {
      name_thread("planning");
      on_its_thread_ = true;
      own();
    });
  }

  static inline thread_local bool on_its_thread_ = false;
  std::atomic<std::size_t> waiting_ = 0;
  boost::asio::thread_pool pool_{kThreads};
};

}  // namespace sluice::proxy::pg
