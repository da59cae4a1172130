// Requests: what the server has been asked and has not answered yet, oldest first. Each of its messages
// belongs to the oldest one.
//
// Request: one message of the client (or of the gateway), as the protocol machine waits for its answers.
// Run: one operation in it, from its permit to its outcome: a simple query has one for each statement, an
// Execute has one, the others have none.
//
// Belongs to one session. Nothing here is sent or recorded; the Exchange does both.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "gate/meter.h"
#include "proxy/pg/exchange/names.h"
#include "proxy/pg/exchange/result_shape.h"
#include "proxy/pg/planning/plan.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {

// What the rest of a search's answer counts (budget/probes.h).
struct Probing {
  struct PerRow {
    std::string_view collection;  // of the plan: whose key the row has
    std::string_view records_of;  // and whose records are counted
    std::uint64_t units = 0;      // on each record
  };
  std::vector<PerRow> rows;  // empty: nothing, or all of it has been counted
  std::uint64_t passed = 0;  // rows
  std::string_view why;
  std::optional<wire::pg::ErrorFields> refused;
};

// One operation that runs on the server now or next.
struct Run {
  std::shared_ptr<const Plan> plan;
  std::optional<gate::Permit> permit;
  std::optional<gate::Meter> meter;
  std::shared_ptr<const ResultShape> shape;
  std::shared_ptr<Portal> portal;    // of an Execute
  std::shared_ptr<Portal> counted;   // portal or cursor whose executions share one bound
  bool resumed = false;              // what those before this one have sent is off its bound
  bool stopped = false;              // the reply was cut: the rest is swallowed
  bool finished = false;             // its outcome is recorded
  bool observed = false;             // rows have been looked at for the record
  std::vector<NameChange> changes;   // that this statement makes, should it fail
  std::unique_ptr<Probing> probing;  // of a search of masked vectors, once it has been counted
  // It may no longer run: what the client is told at its turn. Large and rare.
  std::unique_ptr<wire::pg::ErrorFields> overdue;
};

struct Request {
  enum class Kind : std::uint8_t {
    query,
    parse,
    bind,
    describe_statement,
    describe_portal,
    execute,
    close,
    sync,
    fail_query,
    fail_pipeline,  // the gateway's own failure in place of a refused request
    catalogue,
    open_transaction,  // the gateway's own first statement of a query string's transaction
  };
  Kind kind = Kind::sync;
  bool hidden = false;  // its answers are not the client's
  bool silent = false;  // fail_query: its error is not the client's either, who has been told one
  bool of_string =
      false;       // the client has sent a query string: results and errors are its, no acknowledgements
  int closed = 0;  // open_transaction: CloseComplete so far
  std::vector<Run> runs;    // query: one per statement; execute: one
  std::size_t current = 0;  // of runs
  std::shared_ptr<Prepared> prepared;
  std::shared_ptr<Portal> portal;
  std::vector<NameChange> changes;  // tentative until the server confirms them; taken back in reverse order
  std::unique_ptr<wire::pg::ErrorFields> error;  // fail_*: what the client is told instead; large and rare
  bool client_limit = false;                     // execute: the client gave max_rows
  bool server_limit = false;                     // execute: ours is in force
};

class Requests {
 public:
  bool empty() const { return queue_.empty(); }
  std::size_t size() const { return queue_.size(); }
  Request& front() { return queue_.front(); }
  const Request& front() const { return queue_.front(); }
  const Request* newest() const { return queue_.empty() ? nullptr : &queue_.back(); }
  auto begin() { return queue_.begin(); }
  auto end() { return queue_.end(); }
  Request& operator[](std::size_t i) { return queue_[i]; }

  Request& add(Request::Kind kind) {
    auto& request = queue_.emplace_back();
    request.kind = kind;
    return request;
  }
  void add(Request&& request) { queue_.push_back(std::move(request)); }
  void pop_front() { queue_.pop_front(); }
  void drop_first(std::size_t n) {
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(n));
  }
  void clear() { queue_.clear(); }

  // The operation that the server's messages are about; null where the oldest request has none, or no more.
  Run* current_run() {
    if (queue_.empty()) return nullptr;
    auto& oldest = queue_.front();
    return oldest.current < oldest.runs.size() ? &oldest.runs[oldest.current] : nullptr;
  }
  // The server has ended it. An Execute is answered by that; a simple query goes on with its next statement,
  // up to ReadyForQuery.
  void end_current_run() {
    auto& oldest = queue_.front();
    ++oldest.current;
    if (oldest.kind == Request::Kind::execute) queue_.pop_front();
  }

  // How many the server skips after an error: all before the next Sync.
  std::size_t before_sync() const {
    return static_cast<std::size_t>(std::ranges::find(queue_, Request::Kind::sync, &Request::kind) -
                                    queue_.begin());
  }
  bool sync_ahead() const { return before_sync() < queue_.size(); }
  // A ReadyForQuery is due.
  bool ready_ahead() const;
  // The server keeps the answers of a pipeline back until it hears Sync or Flush.
  bool answers_held_back() const;
  // What has not ended yet may change what names mean: DDL, another search_path, or an end of the transaction
  // (or of a part of it) where that may take such a change back or leave a failure (`end_may_move`).
  bool names_may_move(bool end_may_move) const;
  // A COPY is on its way, and the server has not said yet that it wants the data.
  bool copy_in_ahead() const;
  // The oldest is an Execute whose COPY takes data now: until that ends the server ignores Sync, also one
  // that was sent along with the Execute (PostgreSQL manual, "COPY Operations").
  void drop_ignored_syncs();

 private:
  std::deque<Request> queue_;
};

}  // namespace sluice::proxy::pg
