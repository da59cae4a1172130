#include "app/index_thread.h"

#include "core/log.h"
#include "core/thread_name.h"

namespace sluice::app {
namespace {

constexpr auto kSlice = std::chrono::milliseconds{50};  // of the indexer, per turn
constexpr auto kPause = std::chrono::milliseconds{200};
constexpr auto kCatchUp = std::chrono::seconds{10};  // how long a question waits for the index

}  // namespace

void IndexThread::start() {
  thread_ = std::thread([this] { run(); });
}

void IndexThread::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

Result<void> IndexThread::catch_up() {
  if (auto more = slice(kCatchUp); !more) {
    return fail(Errc::storage_failed, "the record cannot be searched: {}", more.error().detail);
  }
  return {};
}

Result<bool> IndexThread::slice(std::chrono::milliseconds budget) {
  std::lock_guard lock(mutex_);
  return indexer_.run(budget, clock_);
}

void IndexThread::run() {
  name_thread("indexer");
  std::string said;  // once, and not five times a second
  while (!stopping_) {
    const auto more = slice(kSlice);
    const auto problem = more ? std::string{} : more.error().message();
    if (problem != said && !problem.empty()) log::warn("record index", {{"error", problem}});
    said = problem;
    if (!more || !*more) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace sluice::app
