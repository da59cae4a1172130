#include "app/open_index.h"

#include "core/log.h"

namespace sluice::app {
namespace {

namespace fs = std::filesystem;

Result<std::unique_ptr<store::RecordIndex>> open_or_make_anew(const fs::path& path,
                                                              const fs::path& record_folder) {
  auto index = store::RecordIndex::open(path, record_folder);
  if (index) return index;
  log::warn("record index made anew", {{"path", path.string()}, {"error", index.error().message()}});
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    std::error_code ignored;  // opening it again says what is wrong
    fs::remove(path.string() + suffix, ignored);
  }
  return store::RecordIndex::open(path, record_folder);
}

// What the index knows and the record has no more; empty: nothing.
std::string what_is_gone(const record::IndexedPosition& known, const RecordSet& record,
                         const record::LogStatus& log) {
  if (record.log_id(known.shard) != known.log_id) return fmt::format("shard {} is another log", known.shard);
  if (log.found >= known.position.seq) return {};
  return fmt::format("shard {} had {} entries, and {} when it was opened", known.shard, known.position.seq,
                     log.found);
}

}  // namespace

Result<std::unique_ptr<store::RecordIndex>> open_index(const fs::path& path, const fs::path& record_folder,
                                                       RecordSet& record) {
  TRY(auto index, open_or_make_anew(path, record_folder));
  TRY(const auto positions, index->positions());
  const auto logs = record.status();
  bool behind = false;
  for (const auto& known : positions) {
    if (known.shard >= logs.size()) continue;  // of a gateway with more workers
    const auto gone = what_is_gone(known, record, logs[known.shard]);
    if (gone.empty()) continue;
    behind = true;
    log::error("the record was set back", {{"detail", gone}});
    CHECK_OK(record.control([&](record::Log& control) {
      return control.append(record::Incident{.code = "record_set_back", .detail = gone});
    }));
  }
  if (behind) CHECK_OK(index->clear());
  return index;
}

}  // namespace sluice::app
