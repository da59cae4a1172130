// How a session begins: who the client is, what it may use, and the session with the server behind it.
#include "proxy/pg/session/session.h"

#include "core/byte_writer.h"
#include "core/log.h"
#include "net/blocking.h"
#include "proxy/pg/login/refused_login.h"
#include "proxy/pg/session/session_settings.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {

using net::Task;

Task<bool> Session::log_in() {
  boost::system::error_code unknown;
  const auto peer = client_.socket().remote_endpoint(unknown);
  SessionFacts facts;
  facts.id = id_;
  facts.client_address = address_of_client(client_.socket());
  facts.client_port = unknown ? std::uint16_t{0} : peer.port();

  directory_version_ = context_.directory.version();
  connections_version_ = context_.connections.version();
  const auto limits = context_.limits.current();
  const LoginServices services{
      context_.clock,          context_.authenticator, context_.connections,           context_.cancel_keys,
      context_.session_counts, limits->login,          limits->sessions_per_principal, false};
  auto login = co_await log_in_client(client_, options_, services);
  if (!login) {
    report_refused_login(worker_.services, login.error(), facts.client_address);
    co_return false;
  }
  login_ = std::move(*login);
  facts.principal = login_->who.principal;
  facts.connection = login_->connection->name;
  facts.system = login_->connection->system;
  facts.role = login_->role->alias;
  facts.upstream_user = login_->role->upstream_user;
  facts.database = login_->connection->database;
  facts.client_name = login_->application_name;
  facts.token_id = login_->who.token.value;
  facts.tls = login_->tls;
  facts.started = context_.clock.now();

  gate_.emplace(worker_.services, std::move(facts));
  if (auto opened = gate_->open(); !opened) {
    log::error("session not recorded", {{"error", opened.error().message()}});
    co_await refuse_login(client_, "58030", "the record cannot be written, so nothing may pass", {});
    gate_.reset();
    co_return false;
  }
  if (auto greeted = co_await greet_client(); !greeted) {
    log::warn("session failed at login", {{"session", to_string(id_)},
                                          {"connection", gate_->facts().connection},
                                          {"error", greeted.error().message()}});
    co_await refuse_login(
        client_, "08006",
        fmt::format("the database behind connection \"{}\" cannot be reached or refuses the gateway",
                    gate_->facts().connection),
        "The gateway's log says why; sluice connection test checks it.");
    gate_->close(record::SessionEndReason::failed, greeted.error().message());
    co_return false;
  }
  co_return true;
}

// Logs in to the server, then lets the client in.
Task<Result<void>> Session::greet_client() {
  const auto& facts = gate_->facts();
  UpstreamLogin upstream;
  upstream.connection = login_->connection;
  upstream.user = facts.upstream_user;
  const auto limits = context_.limits.current();
  upstream.limit = limits->upstream_login;
  CO_TRY(upstream.password,
         co_await net::run_blocking<Result<Secret>>(
             context_.blocking, [resolve = context_.resolve_credential, source = login_->role->credential] {
               return resolve(source);
             }));
  upstream.parameters = {
      {"application_name",
       upstream_application_name(facts.principal->name, to_string(id_), login_->application_name)},
      {"client_encoding", "UTF8"},
      {"standard_conforming_strings", "on"},
      {"row_security", "on"},
      {"backslash_quote", "safe_encoding"},
  };
  for (auto& parameter : login_->parameters) upstream.parameters.push_back(std::move(parameter));
  CO_TRY(upstream_, co_await pg::log_in(std::move(upstream), context_.salted_passwords));

  catalogues_ =
      context_.catalogues.find_or_make(facts.connection, login_->connection->version, facts.upstream_user);
  planner_.emplace();
  exchange_.emplace(*gate_, *planner_, *catalogues_, limits->exchange);
  cell_masker_.emplace(context_.hash_key, facts.connection);
  exchange_->mask_cells_with(*cell_masker_);
  exchange_->let_go_on(context_.planning);
  cancel_key_ = context_.cancel_keys.add([weak = weak_from_this(), worker = &worker_.worker] {
    worker->post([weak] {
      if (auto self = weak.lock()) self->cancel_from_client();
    });
  });

  auto& hello = exchange_->to_client().own();
  wire::pg::encode_authentication_ok(hello);
  for (const auto& [name, value] : upstream_->status) {
    const auto& shown = name == "application_name" ? facts.client_name : value;
    CO_CHECK_OK(wire::pg::encode_parameter_status(hello, name, shown));
  }
  std::string secret;
  ByteWriter{secret}.u32(cancel_key_->secret);
  CO_CHECK_OK(wire::pg::encode_backend_key_data(hello, cancel_key_->process_id, as_bytes(secret)));
  wire::pg::encode_ready_for_query(hello, wire::pg::TransactionStatus::idle);
  exchange_->to_client().commit();
  if (!co_await flush_client()) co_return fail(Errc::unavailable, "the client went away");
  co_return Result<void>{};
}

}  // namespace sluice::proxy::pg
