#include "proxy/pg/login/client_login.h"

#include "core/encoding.h"
#include "identity/token.h"
#include "proxy/pg/session/session_settings.h"
#include "wire/pg/encode.h"
#include "wire/pg/frontend.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;
using net::Task;

using Outcome = std::expected<ClientLogin, LoginFailure>;

// SSLRequest, GSSENCRequest and then the start-up packet: more is a client that plays.
constexpr int kMaxFirstPackets = 3;
constexpr std::string_view kAlpn = "postgresql";  // PostgreSQL 17, direct TLS

class ClientLoginFlow {
 public:
  ClientLoginFlow(net::Stream& stream, const ListenerOptions& options, const LoginServices& services)
      : stream_(stream), options_(options), services_(services) {}

  Task<Outcome> run() {
    net::Deadline deadline{stream_, services_.limit};
    if (auto done = co_await start_direct_tls(); !done) co_return ended("tls_failed", done.error().detail);
    auto startup = co_await read_startup();
    if (!startup) co_return std::unexpected(std::move(startup.error()));
    if (services_.full) {
      co_return co_await refuse("gateway_full", sqlstate::kTooManyConnections,
                                "the gateway has as many sessions as it may have",
                                "Try again when others have ended, or ask the operator: limits.sessions.");
    }
    if (!stream_.is_tls() && !may_stay_plain()) {
      co_return co_await refuse("tls_required", sqlstate::kInvalidAuthorization, "TLS is required",
                                "Connect with sslmode=require or stronger.");
    }
    auto accepted = co_await take_parameters(*startup);
    if (!accepted) co_return std::unexpected(std::move(accepted.error()));
    co_return co_await authenticate();
  }

 private:
  static std::unexpected<LoginFailure> ended(std::string cause, std::string detail) {
    return std::unexpected(LoginFailure{std::move(cause), std::move(detail), {}, {}, false});
  }

  Task<std::unexpected<LoginFailure>> refuse(std::string cause, std::string_view code, std::string message,
                                             std::string hint = {}) {
    LoginFailure failure{std::move(cause), message,
                         login_.who.principal ? login_.who.principal->name : std::string{}, database_, false};
    co_await refuse_login(stream_, std::string{code}, std::move(message), std::move(hint));
    co_return std::unexpected(std::move(failure));
  }

  bool may_stay_plain() {
    boost::system::error_code error;
    const auto peer = stream_.socket().remote_endpoint(error);
    return options_.plaintext_on_loopback && !error && peer.address().is_loopback();
  }

  // TLS without SSLRequest: the first byte tells.
  Task<Result<void>> start_direct_tls() {
    CO_TRY(auto first, co_await stream_.peek_byte());
    if (!starts_with_tls({&first, 1})) co_return Result<void>{};
    auto context = options_.tls ? options_.tls() : nullptr;
    if (!context) co_return fail(Errc::unsupported, "this listener has no certificate");
    CO_CHECK_OK(co_await stream_.start_tls(std::move(context)));
    if (stream_.alpn() != kAlpn) co_return fail(Errc::malformed, "direct TLS without ALPN postgresql");
    co_return Result<void>{};
  }

  Task<std::expected<StartupFrame, LoginFailure>> read_startup() {
    for (int packets = 0; packets < kMaxFirstPackets;) {
      auto frame = frame_startup(as_bytes(received_));
      if (!frame) {
        if (frame.error().code == Errc::unsupported) {
          co_return co_await refuse("protocol_version", sqlstate::kFeatureNotSupported, frame.error().detail);
        }
        co_return ended("malformed_startup", frame.error().detail);
      }
      if (!frame->complete()) {
        if (auto more = co_await read_more(); !more) co_return ended("closed", more.error().detail);
        continue;
      }
      ++packets;
      switch (frame->kind) {
        case StartupFrame::Kind::startup: co_return *frame;
        case StartupFrame::Kind::cancel_request: co_return cancel(frame->payload);
        case StartupFrame::Kind::gssenc_request:
        case StartupFrame::Kind::ssl_request: {
          if (received_.size() != frame->size || stream_.is_tls()) {
            // Bytes behind the request would be read as if they came through TLS (CVE-2021-23214).
            co_return ended("plaintext_before_tls", "bytes behind an encryption request");
          }
          received_.clear();
          const bool tls = frame->kind == StartupFrame::Kind::ssl_request;
          if (auto done = co_await answer_encryption_request(tls); !done) {
            co_return ended("tls_failed", done.error().detail);
          }
          break;
        }
        case StartupFrame::Kind::incomplete: break;
      }
    }
    co_return ended("malformed_startup", "too many packets before the start-up message");
  }

  Task<Result<void>> answer_encryption_request(bool tls) {
    auto context = tls && options_.tls ? options_.tls() : nullptr;
    const char answer = context ? kTlsAccepted : kEncryptionRefused;
    CO_CHECK_OK(co_await stream_.write_all(as_bytes({&answer, 1})));
    if (!context) co_return Result<void>{};
    co_return co_await stream_.start_tls(std::move(context));
  }

  std::unexpected<LoginFailure> cancel(Bytes payload) {
    auto request = CancelRequest::parse(payload);
    if (request && request->secret_key.size() == 4) {
      ByteReader key{request->secret_key};
      services_.cancel_keys.cancel({request->process_id, key.u32()});
    }
    // The protocol has no answer to a cancel request, right or wrong.
    return std::unexpected(LoginFailure{"cancel_request", {}, {}, {}, true});
  }

  Task<Result<void>> read_more() {
    const auto old = received_.size();
    received_.resize(old + 1024);
    CO_TRY(auto n, co_await stream_.read_some(
                       {reinterpret_cast<std::uint8_t*>(received_.data()) + old, received_.size() - old}));
    received_.resize(old + n);
    if (n == 0) co_return fail(Errc::unavailable, "the client closed the connection");
    co_return Result<void>{};
  }

  Task<std::expected<void, LoginFailure>> take_parameters(const StartupFrame& frame) {
    auto startup = StartupMessage::parse(frame.version, frame.payload);
    if (!startup) {
      co_return co_await refuse("malformed_startup", sqlstate::kProtocolViolation, startup.error().detail);
    }
    std::vector<std::string_view> unknown_options;
    // A token in the place of a name would go where names go: logs, the record, errors.
    for (const auto& [name, value] : startup->parameters) {
      if (!identity::holds_token(name) && !identity::holds_token(value)) continue;
      co_return co_await refuse("token_in_parameter", sqlstate::kInvalidAuthorization,
                                "a token stands in a start-up parameter",
                                "A token is a password, and nothing else.");
    }
    for (const auto& [name, value] : startup->parameters) {
      if (!is_valid_utf8(name) || !is_valid_utf8(value)) {
        co_return co_await refuse("malformed_startup", sqlstate::kProtocolViolation,
                                  "a start-up parameter is not valid UTF-8");
      }
      if (name.starts_with(kProtocolOptionPrefix)) {
        unknown_options.push_back(name);
      } else if (name == "user") {
        alias_ = value;
      } else if (name == "database") {
        database_ = value;
      } else if (auto problem = take_setting(name, value); !problem.empty()) {
        co_return co_await refuse("start_option", sqlstate::kFeatureNotSupported, problem,
                                  "Sluice hands on only settings that it understands. See docs/postgres.md.");
      }
    }
    if (alias_.empty()) {
      co_return co_await refuse("no_user", sqlstate::kInvalidAuthorization, "no user name was given");
    }
    if (database_.empty()) database_ = alias_;  // as the server does
    if (frame.version > kProtocol30 || !unknown_options.empty()) {
      std::string reply;
      if (auto encoded = encode_negotiate_protocol_version(reply, kProtocol30, unknown_options); !encoded) {
        co_return ended("malformed_startup", encoded.error().detail);
      }
      if (auto sent = co_await stream_.write_all(as_bytes(reply)); !sent) {
        co_return ended("closed", sent.error().detail);
      }
    }
    received_.erase(0, static_cast<std::size_t>(frame.size));
    co_return std::expected<void, LoginFailure>{};
  }

  // Empty when the setting is taken; otherwise what to say.
  std::string take_setting(std::string_view name, std::string_view value) {
    if (name == "replication") {
      // "false" and its like ask for an ordinary session.
      if (value == "false" || value == "off" || value == "no" || value == "0") return {};
      return "replication connections are not allowed";
    }
    if (name == "options") {
      return value.find_first_not_of(' ') == std::string_view::npos
                 ? std::string{}
                 : "the start-up parameter \"options\" is not allowed";
    }
    switch (classify_setting(name)) {
      case SettingClass::identity: login_.application_name = value; return {};
      case SettingClass::pinned:
        if (means_pinned_value(name, value)) return {};
        return fmt::format("the setting \"{}\" must be {}", name, *pinned_value(name));
      case SettingClass::free:
      case SettingClass::path: login_.parameters.emplace_back(name, value); return {};
      case SettingClass::planner:
      case SettingClass::refused: break;
    }
    return fmt::format("the start-up parameter \"{}\" is not allowed", name);
  }

  Task<Outcome> authenticate() {
    std::string ask;
    encode_authentication_cleartext_password(ask);
    if (auto sent = co_await stream_.write_all(as_bytes(ask)); !sent)
      co_return ended("closed", sent.error().detail);
    auto token = co_await read_password();
    if (!token) co_return ended("malformed_password", token.error().detail);

    auto who = services_.authenticator.authenticate({.token = token->reveal(), .certificate_der = {}},
                                                    services_.clock.now());
    if (!who) {
      auto failed =
          co_await refuse(std::string{identity::to_string(who.error().cause)}, sqlstate::kInvalidPassword,
                          who.error().error().detail, "Use a Sluice token (slc_…) as the password.");
      failed.error().principal = who.error().principal;
      co_return failed;
    }
    login_.who = std::move(*who);
    login_.tls = stream_.is_tls();
    const auto name = options_.connection.empty() ? database_ : options_.connection;
    login_.connection = services_.connections.current()->find(name);
    if (!login_.connection || login_.connection->system != "postgres") {
      co_return co_await refuse("unknown_connection", sqlstate::kInvalidCatalogName,
                                fmt::format("there is no connection \"{}\"", name),
                                "The database name chooses the connection.");
    }
    if (login_.connection->disabled) {
      co_return co_await refuse("disabled_connection", sqlstate::kCannotConnectNow,
                                fmt::format("the connection \"{}\" is disabled", name));
    }
    auto role = identity::may_use_role(*login_.who.principal, *login_.connection, alias_);
    if (!role) {
      co_return co_await refuse("role_not_allowed", sqlstate::kInvalidAuthorization, role.error().detail,
                                "The user name chooses a role of the connection.");
    }
    login_.role = *role;
    const auto& name_of_who = login_.who.principal->name;
    auto place = services_.session_counts.take(name_of_who, services_.sessions_per_principal);
    if (!place) {
      co_return co_await refuse("too_many_sessions", sqlstate::kTooManyConnections,
                                fmt::format("\"{}\" has {} sessions already, which is the limit", name_of_who,
                                            services_.sessions_per_principal),
                                "Close one of them, or ask the operator: limits.sessions_per_principal.");
    }
    login_.place = std::move(*place);
    co_return std::move(login_);
  }

  Task<Result<Secret>> read_password() {
    for (;;) {
      CO_TRY(auto frame, frame_frontend(as_bytes(received_), kMaxPasswordMessage));
      if (frame.has_header() && frame.type != FrontendType::password) {
        co_return fail(Errc::malformed, "{} where the password was due", to_string(frame.type));
      }
      if (frame.complete()) {
        CO_TRY(auto message, PasswordMessage::parse(frame.payload));
        Secret token{std::string{message.password}};
        const bool more = frame.size != received_.size();
        Secret wipe{std::move(received_)};
        received_ = {};
        // A client may not send statements before it knows that it is in.
        if (more) co_return fail(Errc::malformed, "bytes behind the password");
        co_return token;
      }
      CO_CHECK_OK(co_await read_more());
    }
  }

  net::Stream& stream_;
  const ListenerOptions& options_;
  const LoginServices& services_;
  std::string received_;
  std::string alias_;
  std::string database_;
  ClientLogin login_;
};

}  // namespace

Task<Outcome> log_in_client(net::Stream& stream, const ListenerOptions& options,
                            const LoginServices& services) {
  ClientLoginFlow flow{stream, options, services};
  co_return co_await flow.run();
}

Task<> refuse_login(net::Stream& stream, std::string sqlstate, std::string message, std::string hint) {
  ErrorFields fields;
  fields.severity = Severity::fatal;
  fields.sqlstate = std::move(sqlstate);
  fields.message = "sluice: " + message;
  fields.hint = std::move(hint);
  std::string reply;
  encode_error_response(reply, fields);
  (void)co_await stream.write_all(as_bytes(reply));
  stream.shut_down();
}

}  // namespace sluice::proxy::pg
