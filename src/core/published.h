// Published<T>: an immutable value that is replaced as a whole, and read by many threads that must notice at
// once.
//
//   Published<ConnectionTable> connections{first};
//   PublishedReader<ConnectionTable> reader{connections};   // one per thread
//   const ConnectionTable& table = reader.current();        // one relaxed load while nothing has changed
//
// `version()` costs one atomic load and rises with every `replace`. `current()` takes a lock for the length
// of a pointer copy, so hot paths go through a PublishedReader and pay for it only after a change.
// (std::atomic<shared_ptr> is not used: libstdc++ 12 spins on a lock bit inside it, and ThreadSanitizer
// cannot see through that.)
//
// Threads: Published is thread-safe. A PublishedReader belongs to one thread; the reference that it hands out
// is valid until its next `current()` or `refresh()`; take `share()` to keep the value longer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

namespace sluice {

template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}
  Published() : Published(std::make_shared<const T>()) {}
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  // Never zero. Relaxed: a reader that sees a new number takes the lock in current(), which orders the rest.
  std::uint64_t version() const { return version_.load(std::memory_order_relaxed); }

  std::shared_ptr<const T> current() const { return read().first; }

  // The value together with its version, consistently.
  std::pair<std::shared_ptr<const T>, std::uint64_t> read() const {
    std::lock_guard lock(mutex_);
    return {value_, version_.load(std::memory_order_relaxed)};
  }

  void replace(std::shared_ptr<const T> next) {
    std::lock_guard lock(mutex_);
    value_.swap(next);  // the old value goes after the lock
    version_.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::atomic<std::uint64_t> version_{1};
};

template <class T>
class PublishedReader {
 public:
  explicit PublishedReader(const Published<T>& source) : source_(source) { refresh(); }

  // True when the value has changed since the last look; the new one is then current.
  bool refresh() {
    if (source_.version() == version_) return false;
    std::tie(value_, version_) = source_.read();
    return true;
  }
  const T& current() {
    refresh();
    return *value_;
  }
  std::shared_ptr<const T> share() {
    refresh();
    return value_;
  }
  std::uint64_t version() const { return version_; }  // of the value last handed out

 private:
  const Published<T>& source_;
  std::shared_ptr<const T> value_;
  std::uint64_t version_ = 0;
};

}  // namespace sluice
