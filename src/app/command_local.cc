#include "app/command_local.h"

#include <boost/json/object.hpp>

#include <cstdio>

#include "admin/openapi.h"
#include "app/exit_codes.h"
#include "app/server.h"
#include "app/settings_text.h"
#include "app/version.h"
#include "core/crypto.h"

namespace sluice::app::commands {
namespace {

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return static_cast<int>(Exit::done);
}

// Settings files may name problems of many lines; each is printed as it is.
int print_problems(const Error& error) {
  std::fprintf(stderr, "%s\n", error.detail.c_str());
  return static_cast<int>(error.code == Errc::malformed ? Exit::failed : exit_of(error.code));
}

constexpr std::string_view kWelcome = R"(Sluice is set up in {data}.

  settings       {settings}
  policy         {data}/policy/
  certificate    {certificate} (self-signed: name it as the root of clients that check)
  administrator  {administrator}
  token          {token}

The token is shown this once. Next:

  sluice serve --config {settings}

and in another terminal, with the password of the database's user app_ro in {data}/credentials/app_ro (chmod 600):

  export SLUICE_ADDR={address} SLUICE_TOKEN={token}
  sluice connection add docs --host db.example --database app --role reader=app_ro:file:app_ro --group members
  sluice connection test docs
  sluice principal create ana --group members
  sluice token create --principal ana

Ana then connects with that token as her password:

  psql "host=localhost port={port} dbname=docs user=reader sslmode=verify-full sslrootcert={certificate}"
)";

}  // namespace

int init(const InitOptions& options, bool save, Output output) {
  initialise_crypto();
  const SystemClock clock;
  auto made = initialise(options, clock);
  if (!made) return report(made.error());
  if (save) {
    if (auto saved = save_context({made->admin_url, made->token.clone(), ""}); !saved)
      return report(saved.error());
  }
  const auto data = made->settings_file.parent_path().string();
  if (output == Output::json) {
    return print(render_json(boost::json::object{{"data", data},
                                                 {"settings", made->settings_file.string()},
                                                 {"certificate", made->certificate.string()},
                                                 {"administrator", made->administrator},
                                                 {"address", made->admin_url},
                                                 {"token", made->token.reveal()}}));
  }
  return print(fmt::format(
      fmt::runtime(kWelcome), fmt::arg("data", data), fmt::arg("settings", made->settings_file.string()),
      fmt::arg("certificate", made->certificate.string()), fmt::arg("administrator", made->administrator),
      fmt::arg("token", made->token.reveal()), fmt::arg("address", made->admin_url),
      fmt::arg("port", options.port)));
}

int serve(const std::string& config) {
  initialise_crypto();
  auto settings = load_settings(config, process_environment());
  if (!settings) return print_problems(settings.error());
  if (auto served = app::serve(*settings); !served) return report(served.error());
  return static_cast<int>(Exit::done);
}

int config_check(const std::string& file) {
  auto settings = load_settings(file, process_environment());
  if (!settings) return print_problems(settings.error());
  return print(fmt::format("{}: fine\n", file));
}

int config_print(const std::string& file, Output output) {
  auto settings = load_settings(file, process_environment());
  if (!settings) return print_problems(settings.error());
  return print(output == Output::json ? effective_json(*settings) + "\n" : effective_yaml(*settings));
}

int config_schema() {
  return print(settings_schema() + "\n");
}
int config_docs() {
  return print(configuration_page());
}
int openapi() {
  return print(admin::openapi_document());
}

int version(Output output) {
  if (output == Output::json) return print(render_json(version_facts()));
  return print(fmt::format("sluice {}\n{}", kVersion, render_object(version_facts())));
}

int context_set(const ContextFlags& flags) {
  auto context = find_context(flags);
  if (!context) return report(context.error());
  if (context->token.empty()) return report({Errc::unauthenticated, "there is no token to save"});
  if (auto saved = save_context(*context); !saved) return report(saved.error());
  return print(fmt::format("saved in {}\n", context_file().string()));
}

int context_show() {
  auto context = find_context({});
  if (!context) return report(context.error());
  return print(fmt::format("address: {}\ntoken:   {}\nfile:    {}\n", context->address,
                           context->token.empty() ? "none" : "set", context_file().string()));
}

}  // namespace sluice::app::commands
