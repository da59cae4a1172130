// RecordSet: all logs of this gateway: shard 0 for the control plane, one shard for each worker. Opens them
// (recovering what a killed gateway left), keeps their slow upkeep on a thread of its own, and closes them.
//
// Threads: a worker's log belongs to that worker. The control log is shared by the control plane's threads,
// behind a lock (`control`). Everything else may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "app/settings.h"
#include "core/clock.h"
#include "record/log.h"

namespace sluice::app {

class RecordSet {
 public:
  static Result<std::unique_ptr<RecordSet>> open(const Settings& settings, const SigningKey& key,
                                                 std::size_t workers, const Clock& clock);
  ~RecordSet();

  record::Log& worker(std::size_t i) { return *logs_[i + 1]; }
  // Runs `write` on the control log. An Error of it is the record's: what was to be recorded must not happen.
  Result<void> control(const std::function<Result<record::Receipt>(record::Log&)>& write);

  // The same without waiting for the disk, for what nothing depends on.
  Result<void> note(const std::function<Result<record::Receipt>(record::Log&)>& write);

  // Called about every quarter of a second by the upkeep thread, after the logs' own.
  void on_upkeep(std::function<void()> job);
  void start();
  // After all sessions have ended.
  void close();

  // Empty when every shard accepts; otherwise why one does not.
  std::string problem() const;
  std::vector<record::LogStatus> status() const;  // by shard
  // Blocks until all that is in a shard now is under a signed checkpoint, for at most `limit`.
  void wait_until_signed(std::size_t shard, std::chrono::milliseconds limit);
  const std::array<std::uint8_t, 16>& log_id(std::size_t shard) const { return logs_[shard]->log_id(); }

 private:
  RecordSet() = default;
  void upkeep();

  // Says what upkeep could not do: once, not four times a second.
  void report(std::size_t shard, const Result<void>& done);

  std::vector<std::unique_ptr<record::Log>> logs_;
  std::vector<std::string> reported_;  // by shard; of the upkeep thread
  bool host_ = false;
  mutable std::mutex control_mutex_;
  std::vector<std::function<void()>> jobs_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice::app
