// Runtime: one Loop and one thread per core. What is made on a worker stays there; other threads reach
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

#include "net/loop.h"

namespace sluice::net {

class Worker {
 public:
  explicit Worker(std::size_t index) : index_(index) {}

  std::size_t index() const { return index_; }
  Loop& context() { return loop_; }
  void post(Loop::Job job) { loop_.post(std::move(job)); }
  void spawn(Task<> task);  // runs a coroutine to its end; an exception in it is a bug and ends the process

 private:
  friend class Runtime;
  std::size_t index_;
  Loop loop_;
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
