// Runtime: one io_context and one thread per core. What is made on a worker stays there; other threads reach
// it only by `post`. So nothing on the data path needs a lock.
//
//   Runtime runtime{2};
//   runtime.worker(0).post([] { ... });
//   runtime.start();  ...  runtime.stop();   // stop joins
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/asio.h"

namespace sluice::net {

class Worker {
 public:
  explicit Worker(std::size_t index) : index_(index), context_(1), keep_(context_.get_executor()) {}

  std::size_t index() const { return index_; }
  asio::io_context& context() { return context_; }
  void post(std::move_only_function<void()> job);
  void spawn(Task<> task);  // runs a coroutine to its end; an exception in it is a bug and ends the process

 private:
  friend class Runtime;
  std::size_t index_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> keep_;
  std::thread thread_;
};

class Runtime {
 public:
  // `name` is that of the threads: "worker-0", "worker-1".
  explicit Runtime(std::size_t workers, std::string name = "worker");
  ~Runtime();

  std::size_t size() const { return workers_.size(); }
  Worker& worker(std::size_t i) { return *workers_[i]; }
  void start();
  void stop();  // idempotent; from a thread that is not a worker

 private:
  std::string name_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace sluice::net
