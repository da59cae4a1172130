// PolicyWatch: the policy in force. Loads the folder at start, again whenever a file in it changes, and when
// it is asked to. A folder with an error keeps the older policy; the problems are kept for the API, counted,
// logged and recorded.
//
// `published()` is what every session reads; `on_change` is called after each replacement, so that live
// sessions look. Thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "app/record_set.h"
#include "core/clock.h"
#include "core/published.h"
#include "policy/policy_set.h"

namespace sluice::app {

class PolicyWatch {
 public:
  // The first load must succeed: without a policy nothing could be decided.
  static Result<std::unique_ptr<PolicyWatch>> start(std::filesystem::path folder, RecordSet& record,
                                                    const Clock& clock);

  const Published<policy::PolicySet>& published() const { return *published_; }
  void on_change(std::function<void()> job) { on_change_ = std::move(job); }

  Result<void> reload();
  // Reloads when a file was added, removed or changed since the last look. Cheap.
  void look();

  struct Current {
    std::shared_ptr<const policy::PolicySet> policy;
    WallTime loaded;
    std::vector<policy::Problem> problems;  // of the last attempt
  };
  Current current() const;

 private:
  using Stamps = std::map<std::string, std::pair<std::filesystem::file_time_type, std::uintmax_t>>;
  PolicyWatch(std::filesystem::path folder, RecordSet& record, const Clock& clock)
      : folder_(std::move(folder)), record_(record), clock_(clock) {}
  Stamps stamps() const;
  Result<void> load_locked();

  std::filesystem::path folder_;
  RecordSet& record_;
  const Clock& clock_;
  std::unique_ptr<Published<policy::PolicySet>> published_;
  std::function<void()> on_change_;
  mutable std::mutex mutex_;
  Stamps seen_;
  std::uint64_t version_ = 0;
  WallTime loaded_{};
  std::vector<policy::Problem> problems_;
};

}  // namespace sluice::app
