// BufferPool: large receive buffers of one thread, lent for the length of one read and its relay. A session
// that is idle holds none, so that ten thousand of them cost what they know and not what they might receive.
//
//   auto buffer = BufferPool::lend();     // returned to the thread's pool by its destructor
//
// Not thread-safe: a lease belongs to the thread that took it.
#pragma once

#include <memory>
#include <vector>

#include "core/bytes.h"

namespace sluice::net {

class BufferPool {
 public:
  static constexpr std::size_t kBufferSize =
      128 * 1024;                           // bytes; larger ones gained nothing in bench/RESULTS.md
  static constexpr std::size_t kKept = 16;  // buffers; more are freed when they come back

  class Lease {
   public:
    explicit Lease(std::unique_ptr<std::uint8_t[]> memory) : memory_(std::move(memory)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (memory_ && free_list().size() < kKept) free_list().push_back(std::move(memory_));
    }
    MutableBytes bytes() { return {memory_.get(), kBufferSize}; }

   private:
    std::unique_ptr<std::uint8_t[]> memory_;
  };

  static Lease lend() {
    auto& free = free_list();
    if (free.empty()) return Lease{std::make_unique_for_overwrite<std::uint8_t[]>(kBufferSize)};
    auto memory = std::move(free.back());
    free.pop_back();
    return Lease{std::move(memory)};
  }

 private:
  static std::vector<std::unique_ptr<std::uint8_t[]>>& free_list() {
    thread_local std::vector<std::unique_ptr<std::uint8_t[]>> list;
    return list;
  }
};

}  // namespace sluice::net
