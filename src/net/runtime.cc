#include "net/runtime.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <exception>

#include "core/thread_name.h"

namespace sluice::net {

void Worker::spawn(Task<> task) {
  asio::co_spawn(loop_, std::move(task), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

Runtime::Runtime(std::size_t workers, std::string name) : name_(std::move(name)) {
  for (std::size_t i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(i));
}

Runtime::~Runtime() {
  stop();
}

void Runtime::start() {
  for (auto& worker : workers_) {
    worker->thread_ = std::thread([w = worker.get(), name = name_] {
      name_thread(fmt::format("{}-{}", name, w->index()));
      w->loop_.run();
    });
  }
}

void Runtime::stop() {
  for (auto& worker : workers_) worker->loop_.stop();
  for (auto& worker : workers_) {
    if (worker->thread_.joinable()) worker->thread_.join();
  }
}

}  // namespace sluice::net
