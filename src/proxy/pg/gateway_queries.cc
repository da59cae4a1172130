// What the gateway itself asks the server, on the session's own connection and only while nothing is
// outstanding: which schemas the session's search_path means, whether the catalogue has changed, and the
// catalogue. The texts are constant.
#include "proxy/pg/exchange.h"

#include "core/log.h"
#include "systems/postgres/catalogue/queries.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

// As the server resolves names now: existing schemas of the path, in order, without the implicit ones.
constexpr std::string_view kSearchPath =
    "SELECT p.name::pg_catalog.text FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) "
    "WITH ORDINALITY AS p(name, position) ORDER BY p.position";

}  // namespace

// True when answers of the server are awaited; false when everything needed was at hand.
bool Exchange::begin_catalogue_read() {
  auto read = std::make_unique<CatalogueRead>();
  const bool open = in_pipeline_ || transaction_ == TransactionStatus::in_transaction;
  const bool private_view = open && schema_changed_;
  if (!private_view && store_.version() != store_seen_ && !store_.is_stale()) take_from_store();
  const bool missing = !planner_.catalogue();
  const bool stale = catalogue_stale_ && (private_view || store_.is_stale() || tried_fresh_catalogue_);
  if (missing || stale) {
    read->load = true;
    store_.claim_poll();
  } else if (store_.claim_poll()) {
    read->poll = true;
  }
  if (!path_stale_ && !read->load && !read->poll) {
    catalogue_stale_ = false;
    return false;
  }
  catalogue_read_ = std::move(read);
  send_catalogue_query(kSearchPath);
  return true;
}

void Exchange::take_from_store() {
  store_seen_ = store_.version();
  if (auto newest = store_.current()) planner_.set_catalogue(std::move(newest));
}

void Exchange::send_catalogue_query(std::string_view text) {
  catalogue_read_->closed = 0;
  gateway_.query(text, in_pipeline_);
  auto& pending = pending_.emplace_back();
  pending.kind = Pending::Kind::catalogue;
  pending.hidden = true;
}

Pause Exchange::on_catalogue_message(const BackendFrame& frame) {
  auto& read = *catalogue_read_;
  switch (frame.type) {
    case BackendType::parse_complete:
    case BackendType::bind_complete:
    case BackendType::command_complete: return Pause::none;
    case BackendType::close_complete:
      if (!in_pipeline_ || ++read.closed < 2) return Pause::none;
      pending_.pop_front();
      return next_catalogue_query();
    case BackendType::data_row: return on_catalogue_row(frame.payload);
    case BackendType::error_response: {
      auto diagnostics = Diagnostics::parse(frame.payload);
      const auto code = diagnostics ? diagnostics->find('C').value_or("") : std::string_view{};
      read.error = Error{Errc::unavailable, fmt::format("the catalogue cannot be read ({})", code)};
      if (!in_pipeline_) return Pause::none;
      pending_.pop_front();
      return end_catalogue_read();
    }
    case BackendType::ready_for_query: {
      auto ready = ReadyForQuery::parse(frame.payload);
      if (!ready) return server_violation(ready.error().detail);
      transaction_ = ready->status;
      pending_.pop_front();
      return next_catalogue_query();
    }
    default: return server_violation(fmt::format("{} in answer to a catalogue read", to_string(frame.type)));
  }
}

Pause Exchange::on_catalogue_row(Bytes payload) {
  auto& read = *catalogue_read_;
  if (read.error) return Pause::none;
  auto row = DataRow::parse(payload);
  if (!row) return server_violation(row.error().detail);
  std::vector<std::optional<std::string>> fields;
  for (const auto& value : row->columns) {
    fields.push_back(value ? std::optional<std::string>{as_text(*value)} : std::nullopt);
  }
  switch (read.stage) {
    case CatalogueRead::Stage::path:
      if (fields.size() == 1 && fields[0]) read.path.push_back(std::move(*fields[0]));
      break;
    case CatalogueRead::Stage::staleness:
      if (fields.size() == 1 && fields[0]) read.fingerprint = std::move(*fields[0]);
      break;
    case CatalogueRead::Stage::load:
      if (auto added = read.loader->add_row(fields); !added) read.error = std::move(added.error());
      break;
  }
  return Pause::none;
}

Pause Exchange::next_catalogue_query() {
  auto& read = *catalogue_read_;
  if (read.error) return end_catalogue_read();
  switch (read.stage) {
    case CatalogueRead::Stage::path:
      planner_.set_search_path(std::move(read.path));
      path_stale_ = false;
      if (read.load) return begin_load();
      if (!read.poll) return end_catalogue_read();
      read.stage = CatalogueRead::Stage::staleness;
      send_catalogue_query(postgres::catalogue_queries::kStaleness);
      return Pause::none;
    case CatalogueRead::Stage::staleness:
      if (planner_.catalogue()->fingerprint() == read.fingerprint) return end_catalogue_read();
      return begin_load();
    case CatalogueRead::Stage::load:
      if (auto ended = read.loader->end_reply(); !ended) {
        read.error = std::move(ended.error());
        return end_catalogue_read();
      }
      if (auto query = read.loader->next_query()) {
        send_catalogue_query(*query);
        return Pause::none;
      }
      return end_catalogue_read();
  }
  return Pause::none;
}

Pause Exchange::begin_load() {
  auto& read = *catalogue_read_;
  read.stage = CatalogueRead::Stage::load;
  const bool alone = transaction_ == TransactionStatus::idle && !in_pipeline_;
  read.loader.emplace(alone ? postgres::Loader::Transaction::own
                            : postgres::Loader::Transaction::surrounding);
  send_catalogue_query(*read.loader->next_query());
  return Pause::none;
}

// Without a catalogue nothing can be planned; an older one stays in use only while the server says that it is
// current.
Pause Exchange::end_catalogue_read() {
  auto read = std::move(catalogue_read_);
  if (!read->error && read->loader) {
    auto loaded = read->loader->finish();
    if (loaded) {
      planner_.set_catalogue(*loaded);
      if ((transaction_ == TransactionStatus::idle && !in_pipeline_) || !schema_changed_) {
        store_.publish(std::move(*loaded));
        store_seen_ = store_.version();
      }
    } else {
      read->error = std::move(loaded.error());
    }
  }
  if (read->error) {
    log::error("catalogue read failed",
               {{"connection", gate_.facts().connection}, {"error", read->error->message()}});
    store_.mark_stale();
    return close_with(record::SessionEndReason::failed, "58000",
                      "the database's catalogue cannot be read, so statements cannot be understood");
  }
  catalogue_stale_ = false;
  return Pause::none;
}

}  // namespace sluice::proxy::pg
