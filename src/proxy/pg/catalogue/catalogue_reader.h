// CatalogueReader: keeps one session's view of the database current: which schemas its search_path means, and
// the catalogue that its statements are planned against.
//
//   if (reader.is_needed(sql, state)) ...          // once nothing else is outstanding:
//   if (reader.begin(state)) ...                    // a query has been sent; false: nothing had to be read
//   while (reader.reading()) reader.on_message(...) // each message of the server is its answer
//
// It asks on the session's own server connection, because transactions and temporary tables look different
// from elsewhere, with constant texts (gateway_traffic.h); what it reads is shared with the other sessions
// (catalogue_store.h), unless the open transaction has changed it, or the session has temporary tables: then
// it is this session's alone, which asks and reads for itself.
//
// Not thread-safe; belongs to one session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "proxy/pg/catalogue/catalogue_store.h"
#include "proxy/pg/exchange/gateway_traffic.h"
#include "proxy/pg/exchange/protocol_state.h"
#include "proxy/pg/planning/planner.h"
#include "systems/postgres/catalogue/loader.h"
#include "wire/pg/framer.h"

namespace sluice::proxy::pg {

class CatalogueReader {
 public:
  CatalogueReader(Planner& planner, CatalogueStore& store, GatewayTraffic& gateway)
      : planner_(planner), store_(store), gateway_(gateway) {}

  // --- whether to read ---
  // What is known may not be what the database looks like now. Statements are planned only when it is. `sql`:
  // the text that is planned next.
  bool is_needed(std::string_view sql, const ProtocolState& state) const;
  // An unknown name may be one that was created a moment ago by somebody else: true, once, when the catalogue
  // should be read for it.
  bool wants_another_look(const wire::pg::ErrorFields& error, const ProtocolState& state);
  // The catalogue has just been read for the statement that is planned next.
  bool has_looked_again() const { return looked_again_; }
  void statement_planned() { looked_again_ = false; }

  // --- what statements have done, once the server has confirmed it ---
  void path_changed() { path_changed_in_transaction_ = path_stale_ = true; }
  void schema_changed() { schema_changed_ = stale_ = true; }
  void temporary_tables_dropped() {
    if (has_temporary()) schema_changed();
  }
  // What this session itself has changed is not read yet.
  bool is_outdated() const { return path_stale_ || stale_; }
  // What the catalogue says has turned out to be wrong.
  void found_wrong() { stale_ = true; }
  // The transaction has ended, or a part of it was taken back, and the server has not said Ready: a pipeline,
  // or ROLLBACK TO. The search_path and the schema may be what they were before.
  void part_of_transaction_ended();
  void end_transaction();
  // The open transaction has changed one of them.
  bool moved_in_transaction() const { return schema_changed_ || path_changed_in_transaction_; }

  // --- reading ---
  bool begin(const ProtocolState& state);
  bool reading() const { return read_ != nullptr; }
  enum class Answer : std::uint8_t {
    goes_on,       // more messages answer the same query
    asked_on,      // it is answered, and the next one has been sent
    reading_over,  // it is answered, and was the last
  };
  // One message of the server while reading(); a ReadyForQuery changes `state`. Errc::malformed: the server
  // broke the protocol. Errc::unavailable: the catalogue cannot be read, so nothing can be planned.
  Result<Answer> on_message(const wire::pg::BackendFrame& frame, ProtocolState& state);

 private:
  enum class Stage : std::uint8_t { path, staleness, load };
  struct Read {
    Stage stage = Stage::path;
    bool poll = false;  // ask whether anything has changed, and load only then
    bool load = false;
    std::uint64_t store_version = 0;  // when it began
    int closed = 0;  // CloseComplete of the query that runs: the portal's and the statement's
    std::optional<postgres::Loader> loader;
    std::vector<std::string> path;
    std::string fingerprint;
    std::optional<Error> error;
  };

  bool has_temporary() const { return planner_.catalogue() && planner_.catalogue()->has_temporary(); }
  // Somebody should ask whether others have changed the schema.
  bool poll_due() const { return has_temporary() ? store_.ticks() != ticks_seen_ : store_.poll_due(); }
  void take_from_store();
  void ask(std::string_view text, const ProtocolState& state);
  Result<void> on_row(Bytes payload);
  Result<Answer> after_answer(const ProtocolState& state);
  Answer begin_load(const ProtocolState& state);
  Result<Answer> end(const ProtocolState& state);

  Planner& planner_;
  CatalogueStore& store_;
  GatewayTraffic& gateway_;
  std::unique_ptr<Read> read_;
  bool path_stale_ = true;  // the search_path must be read before names are resolved
  bool stale_ = false;
  bool looked_again_ = false;
  bool schema_changed_ = false;  // in the open transaction
  bool path_changed_in_transaction_ = false;
  std::uint64_t store_seen_ = 0;  // version of the store that our catalogue came from, or is as new as
  std::uint64_t ticks_seen_ = 0;  // of the store, of a session that looks for itself
};

}  // namespace sluice::proxy::pg
