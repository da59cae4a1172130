// Exchange: one PostgreSQL session between a client that has logged in and a server that is ready, as a
// machine without sockets: bytes in, bytes and pauses out.
//
//   auto step = exchange.on_client(received);     // consumes whole messages
//   write exchange.to_server(), exchange.to_client(); drop step.consumed bytes
//   switch (step.pause) ...                        // what has to happen before the rest is looked at
//
// For each message of the client it plans (planner.h), asks the gate, and forwards under the permit; for each
// message of the server it knows which request it answers (`Requests`), meters it, and passes on what may
// pass. What a refused message would have done to the transaction is done by making the server fail at that
// place (gateway_traffic.h), so the state that the client is told is the server's own.
//
// Files, in the order of an operation: client_messages.cc (the client's messages and their order),
// simple_query.cc, query_string.cc (statement by statement, where names move), prepared_statements.cc and
// portals.cc (the extended query), copy.cc (both directions), reviews.cc (waiting for a second person),
// runs.cc (an operation on the server, from permit to outcome), server_messages.cc (the server's messages and
// what they answer), results.cc (rows), stopped_replies.cc, diagnostics.cc (errors, notices), exchange.cc
// (what comes from outside, and the end). Its parts, each with a header of its own: Requests, Names, Effects,
// CatalogueReader, Hold, RecordedReply.
//
// Not thread-safe; belongs to one session. After `Pause::close` nothing more may be fed.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gate/gate.h"
#include "gate/meter.h"
#include "masking/cell_masker.h"
#include "proxy/pg/catalogue/catalogue_reader.h"
#include "proxy/pg/catalogue/catalogue_store.h"
#include "proxy/pg/exchange/client_output.h"
#include "proxy/pg/exchange/effects.h"
#include "proxy/pg/exchange/gateway_traffic.h"
#include "proxy/pg/exchange/hold.h"
#include "proxy/pg/exchange/names.h"
#include "proxy/pg/exchange/protocol_state.h"
#include "proxy/pg/exchange/recorded_reply.h"
#include "proxy/pg/exchange/requests.h"
#include "proxy/pg/planning/errands.h"
#include "proxy/pg/planning/planner.h"
#include "proxy/pg/planning/planning_pool.h"
#include "wire/pg/backend.h"
#include "wire/pg/diagnostics.h"
#include "wire/pg/frontend.h"

namespace sluice::proxy::pg {

enum class Pause : std::uint8_t {
  none,
  server,     // the answers that are outstanding must come first
  catalogue,  // the catalogue must be read: call begin_catalogue_read() once nothing is outstanding
  review,     // a second person must decide: see waiting()
  errand,     // something has to be done on another thread: see errand()
  close,      // the session is over; closing() says why
};

struct Step {
  std::size_t consumed = 0;
  Pause pause = Pause::none;
  std::uint64_t awaited = 0;  // size of a message of which a part is there; 0: there is none
};

struct ExchangeLimits {
  std::uint64_t message_bytes = wire::pg::kDefaultMaxFrontendMessage;
  std::uint64_t statement_bytes = 16 * 1024 * 1024;  // planning takes some 30 times as much
  std::uint64_t held_row_bytes = 1024 * 1024;  // a longer row is relayed in pieces, its ids marked unknown
  std::uint64_t sample_rows = record::kMaxSampleRows;
  std::size_t sample_bytes = record::kMaxSampleBytes;
  std::uint64_t pipeline = 10'000;  // requests that await their answers
};

struct Closing {
  record::SessionEndReason reason = record::SessionEndReason::client_closed;
  std::string detail;
};

class Exchange {
 public:
  Exchange(gate::Gate& gate, Planner& planner, CatalogueStore& store, const ExchangeLimits& limits);

  // What masks a reply's cells; must outlive the exchange. Without it, replies that need it do not pass.
  void mask_cells_with(masking::CellMasker& masker) { masker_ = &masker; }

  Step on_client(Bytes received);
  Step on_server(Bytes received);

  UpstreamWriter& to_server() { return to_server_; }
  ClientOutput& to_client() { return to_client_; }

  // --- pauses ---
  bool idle() const { return requests_.empty(); }  // nothing outstanding
  // There is something to do without further bytes of the client: call on_client, with nothing if there is
  // nothing.
  bool goes_on_alone() const { return string_ != nullptr && !copying_in_; }
  bool is_waiting() const { return hold_.waiting(); }
  const Waiting& waiting() const { return hold_.what(); }  // only while is_waiting()
  // The hold is over (approved, rejected, timed out, cancelled): the message that waited is looked at again.
  using HoldEnd = Hold::End;
  void end_hold(HoldEnd end) { hold_.end(end); }
  // Starts what Pause::catalogue asks for, once idle(); false: nothing had to be read after all.
  bool begin_catalogue_read();
  // What Pause::errand is about, until one of the two below. The bytes that were handed to on_client and not
  // consumed must stay where they are until it has run, also when the exchange is gone.
  const std::shared_ptr<Errand>& errand() const { return errands_.under_way(); }
  bool on_errand() const { return errands_.is_under_way(); }
  void errand_over() { errands_.over(); }       // it has run: hand the same bytes in again
  void refuse_errand() { errands_.refused(); }  // there is no room for it: the same
  // Whether it is the first one of its message: others must be taken.
  bool may_refuse_errand() const { return errands_.asked().kind == Errands::Kind::plan; }
  // Where large plans are let go. Without it that happens where they are last held.
  void let_go_on(std::weak_ptr<PlanningPool> pool) { pool_ = std::move(pool); }
  bool reading_catalogue() const { return catalogue_.reading(); }
  const Closing& closing() const { return closing_; }

  // --- from outside ---
  // The client asked for a cancel: passed on when something runs. True: the server must be sent a
  // CancelRequest.
  bool cancel();
  // The gateway wants the running statement stopped: set when a reply was cut off; reading it clears it.
  bool take_cancel_request() { return std::exchange(cancel_server_, false); }
  // Policy or principal has changed: running replies are asked again, and what they no longer may is cut off.
  void policy_changed();
  // Ends the session with a FATAL error: revoked, disabled, shutting down, idle.
  void terminate(record::SessionEndReason reason, std::string_view sqlstate, std::string message);
  // The server has gone: what was running ends with an error.
  void server_lost(std::string detail);
  // The client left in good order: so does the gateway, towards the server.
  void say_goodbye() { gateway_.terminate(); }
  // Writes the outcomes of what will never be answered. Before the gate is closed.
  void abandon(record::OutcomeStatus status);

  std::uint64_t records_sent() const { return records_sent_; }
  bool in_transaction() const { return state_.transaction != wire::pg::TransactionStatus::idle; }

 private:
  // --- client_messages.cc ---
  Pause one_client_message(const wire::pg::FrontendFrame& frame, Bytes raw);
  void note_pipeline(wire::pg::FrontendType type);
  Pause at_barrier(wire::pg::FrontendType next);
  void flush_for_answers();
  Pause on_sync();
  Pause need_catalogue(std::string_view sql = {});
  bool names_may_move() const;
  PlanContext plan_context();

  // --- planning_aside.cc ---
  struct Planned {
    std::expected<Planner::Plans, wire::pg::ErrorFields> plans;
    bool names_moved = false;
    std::vector<QueryPart> parts;  // where it has to be run statement by statement
    std::string unread;            // of an error: the text as the record may keep it
  };
  enum class Templates : bool { no, yes };
  // nullopt: Pause::errand.
  std::optional<Planned> plan_text(std::string_view sql, Templates templates);
  std::optional<Planned> plan_aside(std::string_view sql);
  Errands::Stamp stamp();
  using Clamped = std::expected<std::shared_ptr<const Plan>, Denial>;
  std::optional<Clamped> clamp(const std::shared_ptr<const Plan>& plan, std::uint64_t records);
  // What a message to the server says, made aside where it is long.
  struct Encoded {
    std::string message;
    Result<void> result;
    std::string name;  // the gateway's, of a statement
  };
  using MakeMessage = std::move_only_function<Encoded()>;
  std::shared_ptr<Encoded> encode(const std::shared_ptr<const Plan>& about, std::size_t bytes,
                                  MakeMessage make);
  // Ends the current message with an error, in the order of the protocol.
  Pause refuse_query(wire::pg::ErrorFields error);
  Pause refuse_in_pipeline(wire::pg::ErrorFields error);
  wire::pg::ErrorFields render(const gate::Refusal& refusal) const;
  std::string unread_text(std::string_view sql) const;

  // --- simple_query.cc ---
  Pause on_query(Bytes payload, Bytes raw);
  Pause run_query(Planner::Plans plans, Bytes raw);

  // --- query_string.cc ---
  // A query string that is run statement by statement.
  struct QueryString {
    enum class Step : std::uint8_t { open, parse, bind, describe, execute, sync };
    std::vector<QueryPart> parts;
    std::size_t next = 0;  // of parts: the one that is sent, or will be
    std::size_t sent = 0;  // the last one of which something was sent
    Step step = Step::parse;
  };
  void begin_string(std::vector<QueryPart> parts);
  Pause go_on_with_string();
  Pause send_step();
  QueryString::Step step_after(QueryString& string);
  Pause on_message_within_string(wire::pg::FrontendType type);
  Pause on_transaction_opened(const wire::pg::BackendFrame& frame);

  // --- prepared_statements.cc ---
  Pause on_parse(Bytes payload, Bytes raw);
  // These answer a Pause, or the client's error.
  using PauseOrError = std::expected<Pause, wire::pg::ErrorFields>;
  std::shared_ptr<Encoded> encode_prepared(const Prepared& prepared, bool named);
  PauseOrError decide_prepared(Prepared& prepared);
  PauseOrError refresh_prepared(Prepared& prepared, bool unnamed);

  // --- portals.cc ---
  Pause on_bind(Bytes payload, Bytes raw);
  std::shared_ptr<const Operation> bind_values(const Prepared& prepared, const wire::pg::Bind& bind);
  // What the values of a binding are looked at for.
  struct LookedAt {
    Digest digest{};
    std::optional<Denial> denial;  // one of them is what a mask has yielded
  };
  // nullopt: Pause::errand.
  std::optional<LookedAt> look_at_values(const Prepared& prepared, const wire::pg::Bind& bind);
  Pause on_describe(Bytes payload);
  bool differs_now(const Plan& plan);
  std::expected<Pause, wire::pg::ErrorFields> look_up_again(Portal& portal);
  Pause on_execute(Bytes payload, Bytes raw);
  Pause on_close(Bytes payload);

  // --- copy.cc ---
  Pause on_copy_message(const wire::pg::FrontendFrame& frame, Bytes raw);
  void forward_copy(Bytes raw);
  Pause on_copy_response(wire::pg::BackendType type, Bytes payload, Bytes raw);
  Pause on_copy_out_data(const wire::pg::BackendFrame& frame, Bytes raw);

  // --- reviews.cc ---
  gate::Execution execution_of(const Plan& plan, const Portal* portal, const Prepared* prepared,
                               bool for_review, bool bind_vectors);
  // `running`: it is the rest of a reply, whose operation ends with an outcome.
  std::expected<Pause, wire::pg::ErrorFields> hold_or_refuse(const gate::Wait& wait, bool running = false);

  // --- runs.cc ---
  Run make_run(std::shared_ptr<const Plan> plan, gate::Permit permit);
  void begin_run(Run& run);
  static void resume(Run& run);
  bool finish_run(Run& run, record::OutcomeStatus status, std::string_view error_class,
                  std::optional<std::uint64_t> affected);

  // --- server_messages.cc ---
  Pause one_server_message(const wire::pg::BackendFrame& frame, Bytes raw);
  Pause on_completion(wire::pg::BackendType type, Bytes raw);
  Pause on_ready(Bytes payload, Bytes raw);
  void pass(Run* run, Bytes raw);
  void pass_own(Run* run, const std::string& message);
  Pause end_of_part();

  // --- results.cc ---
  Pause on_data_row(const wire::pg::BackendFrame& frame, Bytes raw);
  Pause on_row_with_cells(Run& run, const wire::pg::BackendFrame& frame);
  Pause pass_row_without_keys(Run& run, const wire::pg::BackendFrame& frame);
  // One more record: none to pass it on; the run may have been stopped instead.
  Pause count_record(Run& run);
  void begin_observation(Run& run);
  Pause on_row_description(Bytes payload, Bytes raw);
  Pause pass_description(Run* run, Bytes payload, Bytes raw, const Plan& plan);
  std::optional<std::string> shows_masked(const wire::pg::RowDescription& description, const Plan& plan);
  Pause incident(const std::string& column);
  Pause on_command_complete(Bytes payload, Bytes raw);
  Pause on_portal_suspended(Bytes raw);

  // --- probing.cc ---
  budget::SearchKind kind_of_search(const Run& run, std::string_view collection);
  bool begin_probing(Run& run, const wire::pg::DataRow* row);
  bool take_probe(Run& run, std::string_view collection, std::string_view id, std::uint64_t units);
  bool count_probe(Run& run, const wire::pg::BackendFrame& frame);
  bool count_probe_without_rows(Run& run);
  std::optional<wire::pg::ErrorFields> probe_of_failure(Run& run);
  std::optional<Denial> take_tests(const Plan& plan);

  // --- stopped_replies.cc ---
  Pause stop_run(Run& run, gate::Verdict verdict);
  // `over`: the server has done with it.
  void stop_with(Run& run, wire::pg::ErrorFields error, bool over = false);
  void stop_overdue();

  // --- diagnostics.cc ---
  wire::pg::DiagnosticLevel diagnostic_level();
  Pause on_error(Bytes payload);
  Pause drop_until_sync();
  Pause on_notice(Bytes payload);
  Pause on_parameter_status(Bytes payload);
  Pause on_notification(Bytes raw);

  // --- exchange.cc ---
  Pause on_catalogue_message(const wire::pg::BackendFrame& frame);
  Pause close_with(record::SessionEndReason reason, std::string_view sqlstate, std::string message);
  Pause protocol_violation(std::string detail);
  Pause server_violation(std::string detail);
  Pause record_failed(const Error& error);
  void tell_client(const wire::pg::ErrorFields& error);

  gate::Gate& gate_;
  Planner& planner_;
  ExchangeLimits limits_;
  std::string session_text_;
  UpstreamWriter to_server_;
  GatewayTraffic gateway_{to_server_};
  ClientOutput to_client_;

  ProtocolState state_;
  Requests requests_;
  Names names_;
  CatalogueReader catalogue_;
  Effects effects_{names_, catalogue_};
  Hold hold_;
  Errands errands_;
  std::weak_ptr<PlanningPool> pool_;
  std::shared_ptr<const std::string> message_;  // of a query string, while it is handled
  RecordedReply reply_;
  masking::CellMasker* masker_ = nullptr;

  bool skip_to_sync_ = false;  // an error in the pipeline: the client's messages are dropped until its Sync
  bool barrier_ = false;       // a counted read is on its way: what depends on its success waits
  bool flushed_ = false;       // all that was asked of the server, while a message of the client waits for it
  bool copying_in_ = false;    // the server awaits CopyData
  std::uint64_t relay_left_ = 0;  // of a server message that is passed on in pieces
  bool relay_shown_ = false;      // and whether the client gets it
  std::uint64_t copy_left_ = 0;   // of a CopyData of the client that is passed on in pieces
  bool cancel_server_ = false;
  bool cancelled_early_ = false;         // what the client asked for was cancelled before it was sent
  std::unique_ptr<QueryString> string_;  // under way
  std::optional<Closing> final_;
  Closing closing_;
  std::uint64_t records_sent_ = 0;
  std::vector<record::Param> params_;
  std::string scratch_;
};

}  // namespace sluice::proxy::pg
