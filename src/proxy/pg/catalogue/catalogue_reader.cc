#include "proxy/pg/catalogue/catalogue_reader.h"

#include <algorithm>
#include <utility>

#include "systems/postgres/catalogue/queries.h"
#include "systems/postgres/sql/tokens.h"
#include "wire/pg/diagnostics.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;
using postgres::NameHistory;

namespace {

// As the server resolves names now: existing schemas of the path, in order, without the implicit ones.
constexpr std::string_view kSearchPath =
    "SELECT p.name::pg_catalog.text FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) "
    "WITH ORDINALITY AS p(name, position) ORDER BY p.position";

// Bytes; a SET behind a longer comment is taken for another statement.
constexpr std::size_t kFirstWordWithin = 4096;

// SET TRANSACTION must come before any query of its transaction, also before ours.
bool may_not_follow_a_query(std::string_view sql, const ProtocolState& state) {
  if (state.between_transactions()) return false;
  sql = sql.substr(0, kFirstWordWithin);
  const auto token = postgres::sql::next_token(sql, 0);
  const auto word = sql.substr(token.begin, token.end - token.begin);
  return std::ranges::equal(word, std::string_view{"set"}, {},
                            [](char c) { return static_cast<char>(c | 0x20); });
}

}  // namespace

// --- whether to read ---

bool CatalogueReader::is_needed(std::string_view sql, const ProtocolState& state) const {
  if (!planner_.catalogue()) return true;
  if (!stale_ && !path_stale_ && store_.version() == store_seen_ &&
      (!poll_due() || may_not_follow_a_query(sql, state))) {
    return false;
  }
  return state.transaction != TransactionStatus::failed;  // where it cannot be read
}

bool CatalogueReader::wants_another_look(const ErrorFields& error, const ProtocolState& state) {
  if (error.sqlstate != sqlstate::kUndefinedTable || looked_again_) {
    looked_again_ = false;
    return false;
  }
  looked_again_ = true;
  if (state.transaction == TransactionStatus::failed) return false;
  stale_ = true;
  return true;
}

void CatalogueReader::part_of_transaction_ended() {
  path_stale_ |= path_changed_in_transaction_;
  if (!schema_changed_) return;
  stale_ = true;
  store_.mark_stale();  // others may see it now, and the next transaction be open already
}

void CatalogueReader::end_transaction() {
  if (std::exchange(path_changed_in_transaction_, false)) path_stale_ = true;  // it may have been rolled back
  if (std::exchange(schema_changed_, false)) {
    stale_ = true;
    store_.mark_stale();
  }
}

// --- reading ---

bool CatalogueReader::begin(const ProtocolState& state) {
  auto read = std::make_unique<Read>();
  const bool open = state.in_pipeline || state.transaction == TransactionStatus::in_transaction;
  const bool temporary = has_temporary();
  const bool private_view = temporary || (open && schema_changed_);
  if (!private_view && store_.version() != store_seen_ && !store_.is_stale()) take_from_store();
  const bool missing = !planner_.catalogue();
  const bool newer = temporary && store_.version() != store_seen_;
  const bool stale = newer || (stale_ && (private_view || store_.is_stale() || looked_again_));
  const bool due = temporary ? store_.ticks() != ticks_seen_ : store_.claim_poll();
  ticks_seen_ = store_.ticks();
  read->store_version = store_.version();
  if (missing || stale) {
    read->load = true;
  } else {
    read->poll = due;
  }
  if (!path_stale_ && !read->load && !read->poll) {
    stale_ = false;
    return false;
  }
  read_ = std::move(read);
  ask(kSearchPath, state);
  return true;
}

void CatalogueReader::take_from_store() {
  store_seen_ = store_.version();
  path_stale_ = true;  // schemas of the path may have come or gone
  if (auto newest = store_.current()) planner_.set_catalogue(std::move(newest));
}

void CatalogueReader::ask(std::string_view text, const ProtocolState& state) {
  read_->closed = 0;
  gateway_.query(text, state.in_pipeline);
}

Result<CatalogueReader::Answer> CatalogueReader::on_message(const BackendFrame& frame, ProtocolState& state) {
  switch (frame.type) {
    case BackendType::parse_complete:
    case BackendType::bind_complete:
    case BackendType::command_complete: return Answer::goes_on;
    case BackendType::close_complete:
      if (!state.in_pipeline || ++read_->closed < 2) return Answer::goes_on;
      return after_answer(state);
    case BackendType::data_row: CHECK_OK(on_row(frame.payload)); return Answer::goes_on;
    case BackendType::error_response: {
      auto diagnostics = Diagnostics::parse(frame.payload);
      const auto code = diagnostics ? diagnostics->find('C').value_or("") : std::string_view{};
      read_->error = Error{Errc::unavailable, fmt::format("the catalogue cannot be read ({})", code)};
      if (!state.in_pipeline) return Answer::goes_on;
      return end(state);
    }
    case BackendType::ready_for_query: {
      TRY(const auto ready, ReadyForQuery::parse(frame.payload));
      state.transaction = ready.status;
      return after_answer(state);
    }
    default: return fail(Errc::malformed, "{} in answer to a catalogue read", to_string(frame.type));
  }
}

Result<void> CatalogueReader::on_row(Bytes payload) {
  if (read_->error) return {};
  TRY(const auto row, DataRow::parse(payload));
  std::vector<std::optional<std::string>> fields;
  for (const auto& value : row.columns) {
    fields.push_back(value ? std::optional<std::string>{as_text(*value)} : std::nullopt);
  }
  switch (read_->stage) {
    case Stage::path:
      if (fields.size() == 1 && fields[0]) read_->path.push_back(std::move(*fields[0]));
      break;
    case Stage::staleness:
      if (fields.size() == 1 && fields[0]) read_->fingerprint = std::move(*fields[0]);
      break;
    case Stage::load:
      if (auto added = read_->loader->add_row(fields); !added) read_->error = std::move(added.error());
      break;
  }
  return {};
}

Result<CatalogueReader::Answer> CatalogueReader::after_answer(const ProtocolState& state) {
  if (read_->error) return end(state);
  switch (read_->stage) {
    case Stage::path:
      planner_.set_search_path(std::move(read_->path));
      path_stale_ = false;
      if (read_->load) return begin_load(state);
      if (!read_->poll) return end(state);
      read_->stage = Stage::staleness;
      ask(postgres::catalogue_queries::kStaleness, state);
      return Answer::asked_on;
    case Stage::staleness:
      if (planner_.catalogue()->fingerprint() == read_->fingerprint && !store_.must_read_again())
        return end(state);
      return begin_load(state);
    case Stage::load:
      if (auto ended = read_->loader->end_reply(); !ended) {
        read_->error = std::move(ended.error());
        return end(state);
      }
      if (auto query = read_->loader->next_query()) {
        ask(*query, state);
        return Answer::asked_on;
      }
      return end(state);
  }
  return end(state);
}

CatalogueReader::Answer CatalogueReader::begin_load(const ProtocolState& state) {
  read_->stage = Stage::load;
  read_->loader.emplace(state.between_transactions() ? postgres::Loader::Transaction::own
                                                     : postgres::Loader::Transaction::surrounding);
  ask(*read_->loader->next_query(), state);
  return Answer::asked_on;
}

// Without a catalogue nothing can be planned; an older one stays in use only while the server says that it is
// current.
Result<CatalogueReader::Answer> CatalogueReader::end(const ProtocolState& state) {
  const auto read = std::move(read_);
  if (!read->error && read->loader) {
    auto loaded = read->loader->finish();
    if (loaded) {
      const bool committed = state.between_transactions() || !schema_changed_;
      store_.names().follow(*loaded, NameHistory::Committed{committed});
      auto catalogue = postgres::Catalogue::make(std::move(*loaded));
      planner_.set_catalogue(catalogue);
      if (catalogue->has_temporary()) {
        store_seen_ = read->store_version;
      } else if (committed) {
        store_.publish(std::move(catalogue));
        store_seen_ = store_.version();
      }
    } else {
      read->error = std::move(loaded.error());
    }
  }
  if (read->error) {
    store_.mark_stale();
    return fail(Errc::unavailable, "{}", read->error->message());
  }
  stale_ = false;
  return Answer::reading_over;
}

}  // namespace sluice::proxy::pg
