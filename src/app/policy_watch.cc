#include "app/policy_watch.h"

#include "core/encoding.h"
#include "core/log.h"
#include "core/metrics.h"

namespace sluice::app {

Result<std::unique_ptr<PolicyWatch>> PolicyWatch::start(std::filesystem::path folder, RecordSet& record,
                                                        const Clock& clock) {
  std::unique_ptr<PolicyWatch> watch{new PolicyWatch(std::move(folder), record, clock)};
  std::lock_guard lock(watch->mutex_);
  watch->seen_ = watch->stamps();
  CHECK_OK(watch->load_locked());
  return watch;
}

Result<void> PolicyWatch::reload() {
  {
    std::lock_guard lock(mutex_);
    seen_ = stamps();
    CHECK_OK(load_locked());
  }
  if (on_change_) on_change_();
  return {};
}

void PolicyWatch::look() {
  {
    std::lock_guard lock(mutex_);
    auto now = stamps();
    if (now == seen_) return;
    seen_ = std::move(now);
    if (!load_locked()) return;  // said where it happened
  }
  if (on_change_) on_change_();
}

PolicyWatch::Current PolicyWatch::current() const {
  std::lock_guard lock(mutex_);
  return {published_->current(), loaded_, problems_};
}

PolicyWatch::Stamps PolicyWatch::stamps() const {
  Stamps found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    std::error_code unreadable;
    found[entry.path().filename().string()] = {entry.last_write_time(unreadable),
                                               entry.file_size(unreadable)};
  }
  return found;
}

Result<void> PolicyWatch::load_locked() {
  const auto count = [](const char* result) {
    metrics::counter("sluice_policy_loads_total", "Attempts to load the policy folder", {{"result", result}})
        .increment();
  };
  auto loaded = policy::load_folder(folder_, version_ + 1);
  problems_ = std::move(loaded.problems);
  for (const auto& problem : problems_) {
    log::warn("policy problem", {{"problem", policy::to_string(problem)}});
  }
  if (!loaded.policy) {
    count("refused");
    const auto& first = problems_.front();
    CHECK_OK(record_.control([&](record::Log& log) {
      return log.append(record::PolicyRejected{.file = first.file,
                                               .line = first.line,
                                               .column = first.column,
                                               .message = first.message,
                                               .kept_version = version_});
    }));
    return fail(Errc::malformed, "{}", policy::to_string(first));
  }
  // The record says which policy is in force before it is.
  CHECK_OK(record_.control([&](record::Log& log) {
    return log.append(
        record::PolicyLoaded{.version = version_ + 1,
                             .digest = loaded.policy->digest(),
                             .rules = static_cast<std::uint32_t>(loaded.policy->summaries().size()),
                             .source = folder_.string()});
  }));
  ++version_;
  count("loaded");
  loaded_ = clock_.now();
  log::info("policy loaded", {{"version", std::to_string(version_)},
                              {"digest", to_hex(loaded.policy->digest()).substr(0, 12)}});
  if (published_) {
    published_->replace(std::move(loaded.policy));
  } else {
    published_ = std::make_unique<Published<policy::PolicySet>>(std::move(loaded.policy));
  }
  return {};
}

}  // namespace sluice::app
