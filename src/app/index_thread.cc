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

void IndexThread::catch_up() {
  (void)slice(kCatchUp);
}

bool IndexThread::slice(std::chrono::milliseconds budget) {
  std::lock_guard lock(mutex_);
  auto more = indexer_.run(budget, clock_);
  if (!more) {
    log::warn("record index", {{"error", more.error().message()}});
    return false;
  }
  return *more;
}

void IndexThread::run() {
  name_thread("indexer");
  while (!stopping_) {
    if (!slice(kSlice)) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace sluice::app
