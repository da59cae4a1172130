// The record's index in SQLite, with full-text search (FTS5) over the statements' texts, each kept once.
//
//   TRY(auto index, RecordIndex::open(data_dir / "record_index.db"));
//   record::Indexer indexer{record_dir, *index};
//
// A file of its own: it holds nothing that the segments do not, and may be deleted at any time. Asking is
// thread-safe and does not wait for filling (WAL); filling belongs to one thread.
#pragma once

#include <memory>
#include <unordered_map>

#include "record/search.h"
#include "store/sqlite.h"

namespace sluice::store {

class RecordIndex final : public record::Index, public record::IndexSink {
 public:
  // An empty path: in memory, for tests. A file of another version is made anew.
  static Result<std::unique_ptr<RecordIndex>> open(const std::filesystem::path& path);

  Result<record::OperationPage> search(const record::SearchQuery& query) override;
  Result<record::SessionPage> sessions(const record::SessionQuery& query) override;
  Result<record::FoundSession> session(SessionId id) override;

  Result<std::vector<record::IndexedPosition>> positions() override;
  Result<void> clear() override;
  Result<void> begin() override;
  Result<void> session_started(const record::Header& header, const SessionFacts& facts,
                               const record::Position& segment) override;
  Result<void> session_ended(const record::Header& header, const record::SessionEnd& end) override;
  Result<void> operation(const record::IndexedOperation& operation) override;
  Result<void> outcome(const record::Header& header, const record::OutcomeEntry& outcome) override;
  Result<void> unfinished(const record::Header& header) override;
  Result<void> record_id(const record::Header& header, std::string_view collection,
                         std::string_view id) override;
  Result<void> set_position(const record::IndexedPosition& position) override;
  Result<void> commit() override;
  void roll_back() override { transaction_.reset(); }

 private:
  RecordIndex() = default;
  Result<std::int64_t> statement_row(std::string_view text, const Digest& digest);
  Result<std::int64_t> relation_row(std::string_view name);
  Result<std::optional<std::int64_t>> operation_row(const record::Header& header);
  Result<void> add_relations(record::FoundOperation& found, std::int64_t row, Transaction& tx);

  std::unique_ptr<Database> writing_;
  std::unique_ptr<Database> reading_;  // null in memory: then both use one
  std::optional<Transaction> transaction_;
  Database& reader() { return reading_ ? *reading_ : *writing_; }
};

}  // namespace sluice::store
