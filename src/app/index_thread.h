// IndexThread: brings the record's index up to date on a thread of its own: a little at a time, or at once
// when somebody asks. `catch_up` may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include "core/clock.h"
#include "store/record_index.h"

namespace sluice::app {

class IndexThread {
 public:
  IndexThread(std::filesystem::path folder, store::RecordIndex& index, const Clock& clock)
      : indexer_(std::move(folder), index), clock_(clock) {}
  ~IndexThread() { stop(); }

  void start();
  void stop();
  // Everything that was recorded before the call is indexed afterwards, unless it takes longer than ten
  // seconds: then the rest comes later. An error means that something of the record cannot be read, so that
  // what the index has is not all there is.
  Result<void> catch_up();

 private:
  Result<bool> slice(std::chrono::milliseconds budget);  // true: there is more
  void run();

  std::mutex mutex_;
  record::Indexer indexer_;
  const Clock& clock_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace sluice::app
