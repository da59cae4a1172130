#include "app/initialise.h"

#include <unistd.h>

#include "app/files.h"
#include "app/keys.h"
#include "app/settings.h"
#include "app/settings_text.h"
#include "identity/directory.h"
#include "identity/token.h"
#include "net/tls_selfsigned.h"
#include "policy/starter.h"
#include "store/state.h"

namespace sluice::app {
namespace {

constexpr std::chrono::days kCertificateLife{825};  // the longest that clients accept for a server's
constexpr std::chrono::days kFirstTokenLife{365};  // long enough to set up others, short enough to be renewed

Result<void> make_certificate(const std::filesystem::path& data, const InitOptions& options,
                              const Clock& clock) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0 && host[0] != '\0' && names[0] != host)
    names.emplace_back(host);
  names.insert(names.end(), options.names.begin(), options.names.end());
  TRY(const auto made, net::make_self_signed(names, clock.now(), kCertificateLife));
  CHECK_OK(create_file(data / "tls/server.crt", made.certificate_pem, 0644));
  return create_file(data / "tls/server.key", made.key_pem.reveal(), 0600);
}

Result<Secret> make_administrator(const std::filesystem::path& data, const std::string& name,
                                  const Clock& clock) {
  TRY(auto state, store::State::open(data / "state.db", store::Durable::host));
  Principal administrator;
  administrator.name = name;
  administrator.roles = {std::string(identity::kRoleAdmin)};
  CHECK_OK(state->principals.add_principal(administrator));
  auto minted = identity::make_token();
  identity::TokenEntry entry;
  entry.id = minted.id;
  entry.hash = minted.hash;
  entry.principal = name;
  entry.label = "made by sluice init";
  entry.created = clock.now();
  entry.created_by = "sluice init";
  entry.expires = clock.now() + kFirstTokenLife;
  CHECK_OK(state->tokens.add_token(entry));
  return std::move(minted.text);
}

Settings first_settings(const InitOptions& options) {
  Settings settings;
  PostgresListener listener;
  listener.port = options.port;
  settings.postgres.push_back(listener);
  settings.admin.port = options.admin_port;
  return settings;
}

}  // namespace

Result<Initialised> initialise(const InitOptions& options, const Clock& clock) {
  if (options.administrator.empty()) return fail(Errc::invalid_argument, "the administrator needs a name");
  std::error_code error;
  const auto data = std::filesystem::absolute(options.data, error).lexically_normal();
  if (error) return fail(Errc::invalid_argument, "{}: {}", options.data.string(), error.message());
  for (const char* sign : {"sluice.yaml", "state.db", kRecordKeyFile}) {
    if (std::filesystem::exists(data / sign, error)) {
      return fail(Errc::conflict, "{} holds an installation already ({} is there)", data.string(), sign);
    }
  }
  CHECK_OK(create_private_folder(data));
  for (const char* folder : {"keys", "tls", "policy", "credentials", "record"}) {
    CHECK_OK(create_private_folder(data / folder));
  }
  CHECK_OK(create_signing_key(data));
  CHECK_OK(make_certificate(data, options, clock));
  CHECK_OK(create_file(data / "policy/10-starter.yaml", policy::starter_policy(), 0600));
  TRY(auto token, make_administrator(data, options.administrator, clock));
  const auto settings = first_settings(options);
  // Last: its presence says that everything else is there.
  CHECK_OK(create_file(
      data / "sluice.yaml",
      "# Settings of Sluice; docs/configuration.md has them all in one table.\n\n" + commented_yaml(settings),
      0600));
  return Initialised{.settings_file = data / "sluice.yaml",
                     .certificate = data / "tls/server.crt",
                     .administrator = options.administrator,
                     .token = std::move(token),
                     .admin_url = fmt::format("http://{}:{}", settings.admin.address, settings.admin.port)};
}

}  // namespace sluice::app
