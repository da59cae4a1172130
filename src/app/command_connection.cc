// `sluice connection ...`.
#include "app/exit_codes.h"
#include "app/remote_call.h"

namespace sluice::app::commands {
namespace {

constexpr std::string_view kConnections = "/api/v1/connections";

// "file:app_ro", "environment:APP_RO", "command:pass show app", "none"
Result<json::object> credential(std::string_view text) {
  const auto colon = text.find(':');
  const auto kind = text.substr(0, colon);
  json::object out{{"kind", kind == "env" ? std::string_view("environment") : kind}};
  if (colon != std::string_view::npos) out["reference"] = text.substr(colon + 1);
  return out;
}

// "alias=upstream_user:kind:reference"; without a credential: none.
Result<json::object> role(const std::string& text, const std::vector<std::string>& groups) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) {
    return fail(Errc::invalid_argument, "--role needs ALIAS=USER:KIND:REFERENCE, not \"{}\"", text);
  }
  const std::string alias = text.substr(0, equals);
  const std::string_view rest = std::string_view(text).substr(equals + 1);
  const auto colon = rest.find(':');
  json::object out{{"alias", alias}, {"upstream_user", rest.substr(0, colon)}};
  if (colon != std::string_view::npos) {
    TRY(auto source, credential(rest.substr(colon + 1)));
    out["credential"] = std::move(source);
  }
  json::array members;
  for (const auto& group : groups) {
    const auto separator = group.find(':');
    if (separator == std::string::npos) {
      members.emplace_back(group);
    } else if (group.substr(0, separator) == alias) {
      members.emplace_back(group.substr(separator + 1));
    }
  }
  out["groups"] = std::move(members);
  return out;
}

Result<json::object> connection_body(const ConnectionOptions& options) {
  json::object body;
  if (!options.system.empty()) body["system"] = options.system;
  if (!options.host.empty()) body["host"] = options.host;
  if (options.port) body["port"] = *options.port;
  if (!options.database.empty()) body["database"] = options.database;
  if (!options.tls.empty()) body["tls"] = options.tls;
  if (!options.ca_file.empty()) body["tls_ca_file"] = options.ca_file;
  if (!options.roles.empty()) {
    json::array roles;
    for (const auto& text : options.roles) {
      TRY(auto one, role(text, options.groups));
      roles.push_back(std::move(one));
    }
    body["roles"] = std::move(roles);
  } else if (!options.groups.empty()) {
    return fail(Errc::invalid_argument, "--group goes with --role");
  }
  return body;
}

std::string path_of(const std::string& name) {
  return fmt::format("{}/{}", kConnections, percent_encode(name));
}

}  // namespace

int connection_add(const Remote& remote, const ConnectionOptions& options) {
  auto body = connection_body(options);
  if (!body) return report(body.error());
  (*body)["name"] = options.name;
  const json::value value = std::move(*body);
  return call_and_print(remote, "POST", std::string(kConnections), &value);
}

int connection_update(const Remote& remote, const ConnectionOptions& options) {
  auto body = connection_body(options);
  if (!body) return report(body.error());
  const json::value value = std::move(*body);
  return call_and_print(remote, "PATCH", path_of(options.name), &value);
}

int connection_list(const Remote& remote) {
  return list_and_print(remote, std::string(kConnections), {}, 100'000,
                        {"name", "system", "host", "port", "database", "tls", "disabled", "version"});
}

int connection_act(const Remote& remote, const std::string& name, const std::string& action) {
  if (action == "show") return call_and_print(remote, "GET", path_of(name));
  if (action == "functions") {
    return list_and_print(remote, path_of(name) + "/functions", {}, 100'000,
                          {"function", "state", "language", "volatile", "extension", "sha256"});
  }
  if (action == "delete") return call_and_print(remote, "DELETE", path_of(name), nullptr, "deleted");
  if (action != "test") return call_and_print(remote, "POST", path_of(name) + "/" + action);
  auto client = connect(remote);
  if (!client) return report(client.error());
  auto answer = client->call("POST", path_of(name) + "/test");
  if (!answer) return report(answer.error());
  print_value(remote, *answer);
  const auto* ok = answer->as_object().if_contains("ok");
  return static_cast<int>(ok != nullptr && ok->is_bool() && ok->get_bool() ? Exit::done : Exit::failed);
}

int connection_names(const Remote& remote, const std::string& name, const std::string& forget) {
  if (forget.empty())
    return list_and_print(remote, path_of(name) + "/names", {}, 100'000, {"name", "former", "database"});
  const json::value body = json::object{{"name", forget}};
  return call_and_print(remote, "POST", path_of(name) + "/names/forget", &body, "forgotten");
}

int connection_rotate(const Remote& remote, const std::string& name, const std::string& role_alias,
                      const std::string& source, bool end_sessions) {
  json::object body{{"role", role_alias}, {"end_sessions", end_sessions}};
  if (!source.empty()) {
    auto parsed = credential(source);
    if (!parsed) return report(parsed.error());
    body["credential"] = std::move(*parsed);
  }
  const json::value value = std::move(body);
  return call_and_print(remote, "POST", path_of(name) + "/rotate", &value);
}

}  // namespace sluice::app::commands
