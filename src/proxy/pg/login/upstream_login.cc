#include "proxy/pg/login/upstream_login.h"

#include "core/log.h"
#include "net/tls.h"
#include "proxy/pg/login/upstream_reader.h"
#include "wire/pg/backend.h"
#include "wire/pg/encode.h"
#include "wire/pg/scram.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;
using net::Task;

// A cancel request that takes longer than this helps nobody: the statement it means is likely over.
constexpr auto kCancelLimit = std::chrono::seconds{5};
// What a server may say before its first ReadyForQuery: bounds a hostile one.
constexpr int kMaxLoginMessages = 1000;

net::TlsVerify verify_mode(UpstreamTls mode) {
  switch (mode) {
    case UpstreamTls::verify_full: return net::TlsVerify::full;
    case UpstreamTls::verify_ca: return net::TlsVerify::ca;
    case UpstreamTls::disable:
    case UpstreamTls::require: return net::TlsVerify::none;
  }
  return net::TlsVerify::full;
}

Task<Result<void>> start_tls(net::Stream& stream, const Connection& connection) {
  if (connection.tls == UpstreamTls::disable) co_return Result<void>{};
  std::string request;
  encode_ssl_request(request);
  CO_CHECK_OK(co_await stream.write_all(as_bytes(request)));
  std::uint8_t answer = 0;
  CO_TRY(auto n, co_await stream.read_some({&answer, 1}));
  if (n == 0) co_return fail(Errc::unavailable, "the server closed the connection at the TLS request");
  CO_TRY(auto accepted, parse_tls_answer(answer));
  if (!accepted)
    co_return fail(Errc::unavailable, "the server does not speak TLS, and the connection demands it");
  if (stream.has_unread_bytes()) {
    // Only the handshake may follow, and the server speaks second in it (CVE-2021-23222).
    co_return fail(Errc::malformed, "the server sent plaintext before TLS");
  }
  CO_TRY(auto context, net::TlsClientContext::make(verify_mode(connection.tls), connection.tls_ca_file));
  co_return co_await stream.start_tls(std::move(context), connection.host);
}

Error refused(Bytes payload) {
  auto diagnostics = Diagnostics::parse(payload);
  if (!diagnostics) return Error{Errc::unavailable, "the server refused the login"};
  const auto code = diagnostics->find('C').value_or("");
  const auto message = diagnostics->find('M').value_or("");
  return Error{Errc::unavailable, fmt::format("the server refused the login: {} ({})", message, code)};
}

Task<Result<void>> send(net::Stream& stream, std::string message) {
  co_return co_await stream.write_all(as_bytes(message));
}

Task<Result<void>> authenticate(net::Stream& stream, UpstreamReader& reader, Secret password,
                                SaltedPasswords& salted_passwords) {
  std::unique_ptr<ScramClient> scram;
  for (;;) {
    CO_TRY(auto frame, co_await reader.next());
    if (frame.type == BackendType::error_response) co_return std::unexpected(refused(frame.payload));
    if (frame.type == BackendType::notice_response || frame.type == BackendType::negotiate_protocol_version)
      continue;
    if (frame.type != BackendType::authentication) {
      co_return fail(Errc::malformed, "the server sent {} where authentication was due",
                     to_string(frame.type));
    }
    CO_TRY(auto request, Authentication::parse(frame.payload));
    std::string answer;
    switch (request.kind) {
      case Authentication::Kind::ok:
        if (scram && !scram->verified()) {
          co_return fail(Errc::malformed, "the server did not prove that it knows the password");
        }
        co_return Result<void>{};
      case Authentication::Kind::cleartext_password:
        CO_CHECK_OK(encode_password_message(answer, password.reveal()));
        break;
      case Authentication::Kind::sasl: {
        auto binding = ChannelBinding::none();
        if (stream.is_tls()) {
          const auto hash = stream.channel_binding();
          binding = request.offers(kScramSha256Plus) && !hash.empty()
                        ? ChannelBinding::tls_server_end_point(hash)
                        : ChannelBinding::not_offered();
        }
        scram = std::make_unique<ScramClient>(std::move(binding));
        if (!request.offers(scram->mechanism())) {
          co_return fail(Errc::unsupported, "the server offers no SCRAM-SHA-256");
        }
        CO_CHECK_OK(encode_sasl_initial_response(answer, scram->mechanism(), scram->client_first()));
        break;
      }
      case Authentication::Kind::sasl_continue: {
        if (!scram)
          co_return fail(Errc::malformed, "the server continued a SASL exchange that was not begun");
        CO_TRY(auto salt, scram->on_server_first(as_text(request.data)));
        const auto salted = co_await salted_passwords.derive(password, std::move(salt));
        CO_CHECK_OK(encode_sasl_response(answer, scram->client_final(salted)));
        break;
      }
      case Authentication::Kind::sasl_final:
        if (!scram) co_return fail(Errc::malformed, "the server ended a SASL exchange that was not begun");
        CO_CHECK_OK(scram->on_server_final(as_text(request.data)));
        continue;
      default:
        co_return fail(Errc::unsupported, "the server asks for {} authentication; use scram-sha-256",
                       to_string(request.kind));
    }
    CO_CHECK_OK(co_await send(stream, std::move(answer)));
  }
}

Task<Result<void>> await_ready(UpstreamReader& reader, Upstream& upstream) {
  for (;;) {
    CO_TRY(auto frame, co_await reader.next());
    switch (frame.type) {
      case BackendType::parameter_status: {
        CO_TRY(auto status, ParameterStatus::parse(frame.payload));
        upstream.status.emplace_back(status.name, status.value);
        break;
      }
      case BackendType::backend_key_data: {
        CO_TRY(auto key, BackendKeyData::parse(frame.payload));
        upstream.process_id = key.process_id;
        upstream.cancel_key.assign(key.secret_key.begin(), key.secret_key.end());
        break;
      }
      case BackendType::ready_for_query:
        if (!reader.drained()) co_return fail(Errc::malformed, "the server spoke on after ReadyForQuery");
        co_return Result<void>{};
      case BackendType::error_response: co_return std::unexpected(refused(frame.payload));
      case BackendType::notice_response:
      case BackendType::negotiate_protocol_version: break;
      default: co_return fail(Errc::malformed, "the server sent {} during login", to_string(frame.type));
    }
  }
}

}  // namespace

Task<Result<Upstream>> log_in(UpstreamLogin login, SaltedPasswords& salted_passwords) {
  const auto& connection = *login.connection;
  Upstream upstream;
  CO_TRY(upstream.stream, co_await net::dial(connection.host, connection.port, login.limit));
  auto& stream = *upstream.stream;
  net::Deadline deadline{stream, login.limit};
  CO_CHECK_OK(co_await start_tls(stream, connection));

  std::vector<StartupParameter> parameters{{"user", login.user}, {"database", connection.database}};
  for (const auto& [name, value] : login.parameters) parameters.push_back({name, value});
  std::string hello;
  CO_CHECK_OK(encode_startup_message(hello, kProtocol30, parameters));
  CO_CHECK_OK(co_await send(stream, std::move(hello)));

  UpstreamReader reader{stream, "login", kMaxLoginMessages};
  CO_CHECK_OK(co_await authenticate(stream, reader, std::move(login.password), salted_passwords));
  CO_CHECK_OK(co_await await_ready(reader, upstream));
  if (deadline.passed()) co_return fail(Errc::timed_out, "the server's login took too long");
  co_return upstream;
}

Task<> cancel_upstream(std::shared_ptr<const Connection> connection, std::uint32_t process_id,
                       ByteVector key) {
  auto stream = co_await net::dial(connection->host, connection->port, kCancelLimit);
  if (!stream) {
    log::warn("upstream cancel failed",
              {{"connection", connection->name}, {"error", stream.error().message()}});
    co_return;
  }
  net::Deadline deadline{**stream, kCancelLimit};
  if (auto tls = co_await start_tls(**stream, *connection); !tls) {
    log::warn("upstream cancel failed", {{"connection", connection->name}, {"error", tls.error().message()}});
    co_return;
  }
  std::string request;
  if (!encode_cancel_request(request, process_id, key)) co_return;
  if (!co_await (*stream)->write_all(as_bytes(request))) co_return;
  (*stream)->shut_down();
  std::uint8_t byte;
  (void)co_await (*stream)->read_some({&byte, 1});  // the server closes once the signal is sent
}

}  // namespace sluice::proxy::pg
