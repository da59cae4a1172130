// The record's index in SQLite: which stretches of the record (record/indexer.h) may hold what is searched
// for, with full-text search (FTS5) over the statements' texts without their constants, each kept once. A
// search reads the operations themselves from the segments, so what it answers is exact.
//
//   TRY(auto index, RecordIndex::open(data_dir / "record-index.db", record_dir));
//   record::Indexer indexer{record_dir, *index};
//
// A file of its own: it holds nothing that the segments do not, and may be deleted at any time. Asking is
// thread-safe and does not wait for filling (WAL); filling belongs to one thread.
#pragma once

#include <memory>
#include <unordered_map>

#include "record/indexer.h"
#include "record/search.h"
#include "store/sqlite.h"

namespace sluice::store {

class RecordIndex final : public record::Index, public record::IndexSink {
 public:
  // An empty path: in memory, for tests. A file of another version is made anew. `record` is the folder of
  // the segments.
  static Result<std::unique_ptr<RecordIndex>> open(const std::filesystem::path& path,
                                                   std::filesystem::path record);

  Result<record::OperationPage> search(const record::SearchQuery& query) override;
  Result<record::SessionPage> sessions(const record::SessionQuery& query) override;
  Result<record::FoundSession> session(SessionId id) override;

  Result<std::vector<record::IndexedPosition>> positions() override;
  Result<void> clear() override;
  Result<void> begin() override;
  Result<void> session_started(const record::Header& header, const SessionFacts& facts,
                               const record::Position& segment) override;
  Result<void> session_ended(const record::Header& header, const record::SessionEnd& end) override;
  Result<std::int64_t> statement(const record::StatementKind& kind) override;
  Result<void> stretch(const record::Stretch& stretch) override;
  Result<void> late_outcome(const record::Header& header, std::uint64_t intent,
                            const record::OutcomeEntry* outcome) override;
  Result<void> late_record_id(const record::Header& header, std::uint64_t intent, std::string_view collection,
                              std::string_view id) override;
  Result<void> set_position(const record::IndexedPosition& position) override;
  Result<void> commit() override;
  void roll_back() override;

 private:
  explicit RecordIndex(std::filesystem::path record) : record_(std::move(record)) {}
  Result<std::int64_t> relation_row(std::string_view name);

  std::filesystem::path record_;
  std::unique_ptr<Database> writing_;
  std::unique_ptr<Database> reading_;  // null in memory: then both use one
  std::optional<Transaction> transaction_;
  std::unordered_map<std::string, std::int64_t> statements_;  // by key; what the last transactions used
  Database& reader() { return reading_ ? *reading_ : *writing_; }
};

}  // namespace sluice::store
