// Runs work that blocks (a credential command, a slow file) on a thread of its own and resumes the coroutine
// on its worker with the answer.
//
//   auto secret = co_await run_blocking<Result<Secret>>(pool, [source] { return resolve(source); });
//
// The job must own what it uses: the coroutine may be gone when it ends. The coroutine's Loop must outlive
// the pool's jobs: destroy or join the pool first.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "core/thread_name.h"
#include "net/event.h"

namespace sluice::net {

template <class T>
Task<T> run_blocking(asio::thread_pool& pool, std::move_only_function<T()> job) {
  struct State {
    explicit State(const asio::any_io_executor& executor) : done(executor) {}
    Event done;
    std::optional<T> answer;
  };
  auto executor = co_await asio::this_coro::executor;
  // Only the coroutine owns the state, and only its thread ever ends it: an Event belongs to its Loop. The
  // pool's thread may still be at the end of the job when the coroutine is long gone.
  auto state = std::make_shared<State>(executor);
  asio::post(pool, [waiting = std::weak_ptr{state}, executor, work = std::move(job)]() mutable {
    name_thread("blocking");  // a pool's threads cannot be reached when they start
    auto answer = std::make_shared<T>(work());
    asio::post(executor, [waiting = std::move(waiting), answer] {
      auto alive = waiting.lock();
      if (!alive) return;
      alive->answer.emplace(std::move(*answer));
      alive->done.notify();
    });
  });
  co_await state->done.wait();
  co_return std::move(*state->answer);
}

}  // namespace sluice::net
