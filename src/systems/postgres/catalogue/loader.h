// Loader: builds a Catalogue out of an upstream's answers, without sockets. The caller sends what it asks for
// and hands back each row as text.
//
//   Loader loader(Loader::Transaction::own);
//   while (auto query = loader.next_query()) {
//     send(*query);                                     // simple query protocol, all columns as text
//     for (each row) CHECK_OK(loader.add_row(fields));
//     CHECK_OK(loader.end_reply());                     // or, on an ErrorResponse, give the loader up
//   }
//   TRY(auto contents, loader.finish());
//   auto catalogue = Catalogue::make(std::move(contents));
//
// Not thread-safe. What the server answers is untrusted: a row of the wrong shape, a number that is none or
// more than the bounds below end it with an error, and the old snapshot stays in use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.h"
#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres {

class Loader {
 public:
  // Whether the loader opens a transaction, so that all its queries see one state, or runs inside the one
  // that is open (a session that has run DDL and not yet committed).
  enum class Transaction { own, surrounding };

  using Row = std::span<const std::optional<std::string>>;

  // Bounds of memory and time against a hostile upstream. Rows of all replies: some 100,000 tables with 15
  // columns each.
  static constexpr std::size_t kMaxRows = 2'000'000;
  // Bytes of their fields: a hundred a row, twice what such tables take.
  static constexpr std::size_t kMaxBytes = 200'000'000;
  // Bytes of one field: names have at most 63 (NAMEDATALEN), the longest fields are lists of column numbers.
  static constexpr std::size_t kMaxFieldBytes = 64 * 1024;
  // Bytes of a trigger's arguments, in hex: the names of as many columns as a relation can have.
  static constexpr std::size_t kMaxArgumentBytes = 256 * 1024;
  // Bytes of all views' definitions: some thousand views of usual size. Those beyond are not understood.
  static constexpr std::size_t kMaxDefinitionBytes = 32 * 1024 * 1024;
  // Columns of a relation, and numbers in a list of columns (MaxHeapAttributeNumber).
  static constexpr std::size_t kMaxColumns = 1'600;

  explicit Loader(Transaction transaction = Transaction::own);

  // The query to send next; nullopt when all have been answered. The text is constant and lives for ever.
  std::optional<std::string_view> next_query() const;
  Result<void> add_row(Row row);
  Result<void> end_reply();
  // What was read, once `next_query` is nullopt, for Catalogue::make. May be called once.
  Result<CatalogueContents> finish();

 private:
  struct Step;
  static std::span<const Step> steps();
  bool skipped(const Step& step) const;
  void skip();

  Result<void> add_staleness(Row row);
  Result<void> add_server(Row row);
  Result<void> add_schema(Row row);
  Result<void> add_relation(Row row);
  Result<void> add_column(Row row);
  Result<void> add_index(Row row);
  Result<void> add_inheritance(Row row);
  Result<void> add_view_part(Row row);
  Result<void> add_view_tree(Row row);
  Result<void> add_type(Row row);
  Result<void> add_check(Row row);
  Result<void> add_function(Row row);
  Result<void> add_builtin_routine(Row row);
  Result<void> add_operator(Row row);
  Result<void> add_constraint(Row row);
  Result<void> add_trigger(Row row);
  Result<void> add_expression(Row row);
  Relation* relation(Oid oid);

  Transaction transaction_;
  std::size_t step_ = 0;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
  std::size_t reply_rows_ = 0;
  std::size_t definition_bytes_ = 0;
  CatalogueContents contents_;
  std::unordered_map<Oid, std::size_t> relation_at_;  // oid -> index in contents_.relations
  std::unordered_map<Oid, std::size_t> type_at_;
};

}  // namespace sluice::postgres
