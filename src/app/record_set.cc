#include "app/record_set.h"

#include "core/log.h"
#include "core/thread_name.h"
#include "record/named_shards.h"

namespace sluice::app {
namespace {

constexpr auto kUpkeepEvery = std::chrono::milliseconds{250};
constexpr auto kSignedLook = std::chrono::milliseconds{20};

}  // namespace

Result<std::unique_ptr<RecordSet>> RecordSet::open(const Settings& settings, const SigningKey& key,
                                                   std::size_t workers, const Clock& clock) {
  std::unique_ptr<RecordSet> set{new RecordSet};
  set->host_ = settings.record.durability == Durability::host;
  const auto folder = settings.path(settings.record.dir);
  CHECK_OK(record::require_control_shard(folder));
  for (std::size_t shard = 0; shard <= workers; ++shard) {
    record::LogOptions options;
    options.folder = folder;
    options.shard = static_cast<std::uint16_t>(shard);
    options.key = key;
    options.segment_bytes = settings.record.segment_size.bytes;
    options.durability = set->host_ ? record::Durability::host : record::Durability::process;
    options.software = "sluice " SLUICE_VERSION;
    TRY(auto log, record::Log::open(std::move(options), clock));
    set->logs_.push_back(std::move(log));
    if (shard == 0) CHECK_OK(record::require_named_shards(folder));
  }
  // The control shard names the others, so that a shard whose files are gone is missed.
  for (std::size_t shard = 1; shard <= workers; ++shard) {
    const auto& log_id = set->logs_[shard]->log_id();
    CHECK_OK(set->control([&](record::Log& control) {
      return control.append(record::ShardAdded{.shard = static_cast<std::uint16_t>(shard), .log_id = log_id});
    }));
  }
  return set;
}

RecordSet::~RecordSet() {
  close();
}

Result<void> RecordSet::control(const std::function<Result<record::Receipt>(record::Log&)>& write) {
  std::lock_guard lock(control_mutex_);
  TRY(auto receipt, write(*logs_.front()));
  (void)receipt;
  return logs_.front()->sync();
}

Result<void> RecordSet::note(const std::function<Result<record::Receipt>(record::Log&)>& write) {
  std::lock_guard lock(control_mutex_);
  TRY(auto receipt, write(*logs_.front()));
  (void)receipt;
  return {};
}

void RecordSet::on_upkeep(std::function<void()> job) {
  jobs_.push_back(std::move(job));
}

void RecordSet::start() {
  thread_ = std::thread([this] { upkeep(); });
}

void RecordSet::upkeep() {
  name_thread("upkeep");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kUpkeepEvery, [this] { return stopping_; });
    if (stopping_) break;
    lock.unlock();
    {
      std::lock_guard control(control_mutex_);
      logs_.front()->tick();
    }
    for (std::size_t shard = 0; shard < logs_.size(); ++shard) report(shard, logs_[shard]->maintain());
    for (auto& job : jobs_) job();
    lock.lock();
  }
}

void RecordSet::report(std::size_t shard, const Result<void>& done) {
  reported_.resize(logs_.size());
  auto now = done ? std::string{} : done.error().message();
  if (now == reported_[shard]) return;
  if (done) {
    log::info("record upkeep works again", {{"shard", std::to_string(shard)}});
  } else {
    log::error("record upkeep failed", {{"shard", std::to_string(shard)}, {"error", now}});
  }
  reported_[shard] = std::move(now);
}

void RecordSet::close() {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (auto& log : logs_) {
    if (auto closed = log->close(); !closed)
      log::error("record not closed", {{"error", closed.error().message()}});
  }
}

std::string RecordSet::problem() const {
  for (const auto& log : logs_) {
    // Also while a full disk leaves room for small entries only: whoever asks should know before nothing
    // passes.
    if (auto why = log->status().why_not; !why.empty()) return why;
  }
  return {};
}

std::vector<record::LogStatus> RecordSet::status() const {
  std::vector<record::LogStatus> all;
  for (const auto& log : logs_) all.push_back(log->status());
  return all;
}

void RecordSet::wait_until_signed(std::size_t shard, std::chrono::milliseconds limit) {
  if (shard >= logs_.size()) return;  // of a gateway with more workers; it was signed when that one closed it
  auto& log = *logs_[shard];
  const auto entries = log.status().entries;
  for (auto looks = limit / kSignedLook; looks > 0 && log.status().checkpointed < entries; --looks) {
    log.request_checkpoint();  // each time: the owner may just have begun one that covers less
    std::this_thread::sleep_for(kSignedLook);
  }
}

}  // namespace sluice::app
