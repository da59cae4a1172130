#include "app/measure.h"

#include <sys/statvfs.h>

#include "core/metrics.h"

namespace sluice::app {
namespace {

void set(std::string_view name, std::string_view help, std::uint64_t value, metrics::Labels labels = {}) {
  metrics::gauge(name, help, std::move(labels)).set(static_cast<std::int64_t>(value));
}

void measure_record(const RecordSet& record, const std::filesystem::path& folder) {
  set("sluice_record_writable", "1: every shard accepts entries; 0: nothing passes",
      record.problem().empty() ? 1 : 0);
  std::size_t number = 0;
  for (const auto& shard : record.status()) {
    const metrics::Labels labels{{"shard", std::to_string(number++)}};
    set("sluice_record_entries", "Entries of a shard", shard.entries, labels);
    set("sluice_record_signed_entries", "Of these, under the last signed checkpoint", shard.checkpointed,
        labels);
    set("sluice_record_refused", "Entries that a shard could not take since the start", shard.refused,
        labels);
  }
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) == 0) {
    set("sluice_record_free_bytes", "Room on the record's file system",
        static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize);
  }
}

void measure_policy(const PolicyWatch& policy) {
  const auto now = policy.current();
  const auto errors = std::ranges::count(now.problems, policy::Severity::error, &policy::Problem::severity);
  set("sluice_policy_version", "Of the policy in force; rises with each load", now.policy->version());
  set("sluice_policy_rules", "Rules in force", now.policy->rules().size());
  set("sluice_policy_errors", "Mistakes in the policy folder that keep an older policy in force",
      static_cast<std::uint64_t>(errors));
}

}  // namespace

void measure(const Measured& parts) {
  set("sluice_sessions", "Sessions now, those that log in included", parts.postgres.session_count());
  set("sluice_reviews_pending", "Reviews that nobody has decided yet", parts.reviews.pending_count());
  measure_record(parts.record, parts.record_folder);
  measure_policy(parts.policy);
}

void announce_build() {
  metrics::gauge("sluice_build_info", "1, with the version", {{"version", SLUICE_VERSION}}).set(1);
}

}  // namespace sluice::app
