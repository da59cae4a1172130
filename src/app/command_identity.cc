// `sluice principal ...`, `sluice token ...`, `sluice status`, `sluice me`.
#include <cstdio>

#include "app/exit_codes.h"
#include "app/remote_call.h"
#include "app/units.h"

namespace sluice::app::commands {
namespace {

constexpr std::size_t kEverything = 100'000;  // items of a list that a person asked for whole
constexpr std::string_view kPrincipals = "/api/v1/principals";

Result<json::object> principal_body(const PrincipalOptions& options) {
  json::object body;
  if (!options.kind.empty()) body["kind"] = options.kind;
  if (!options.groups.empty() || options.no_groups) body["groups"] = to_array(options.groups);
  if (!options.roles.empty() || options.no_roles) body["roles"] = to_array(options.roles);
  if (!options.owner.empty()) body["owner"] = options.owner;
  if (!options.claims.empty()) {
    json::object claims;
    for (const auto& claim : options.claims) {
      const auto equals = claim.find('=');
      if (equals == std::string::npos)
        return fail(Errc::invalid_argument, "--claim needs NAME=VALUE, not \"{}\"", claim);
      claims[claim.substr(0, equals)] = claim.substr(equals + 1);
    }
    body["claims"] = std::move(claims);
  }
  return body;
}

std::string principal_path(const std::string& name) {
  return fmt::format("{}/{}", kPrincipals, percent_encode(name));
}

}  // namespace

int status(const Remote& remote) {
  return call_and_print(remote, "GET", "/api/v1/status");
}
int me(const Remote& remote) {
  return call_and_print(remote, "GET", "/api/v1/me");
}

int principal_create(const Remote& remote, const PrincipalOptions& options) {
  auto body = principal_body(options);
  if (!body) return report(body.error());
  (*body)["name"] = options.name;
  const json::value value = std::move(*body);
  return call_and_print(remote, "POST", std::string(kPrincipals), &value);
}

int principal_update(const Remote& remote, const PrincipalOptions& options) {
  auto body = principal_body(options);
  if (!body) return report(body.error());
  const json::value value = std::move(*body);
  return call_and_print(remote, "PATCH", principal_path(options.name), &value);
}

int principal_list(const Remote& remote, const std::string& group) {
  return list_and_print(remote, std::string(kPrincipals), {{"group", group}}, kEverything,
                        {"name", "kind", "groups", "roles", "owner", "disabled"});
}

int principal_act(const Remote& remote, const std::string& name, const std::string& action) {
  const auto path = principal_path(name);
  if (action == "show") return call_and_print(remote, "GET", path);
  if (action == "delete") return call_and_print(remote, "DELETE", path, nullptr, "deleted");
  return call_and_print(remote, "POST", path + "/" + action);
}

int token_create(const Remote& remote, const TokenOptions& options) {
  json::object body{{"principal", options.principal}};
  if (!options.label.empty()) body["label"] = options.label;
  if (options.ttl == "never") {
    body["ttl_seconds"] = nullptr;
  } else if (!options.ttl.empty()) {
    auto ttl = parse_duration(options.ttl);
    if (!ttl) return report({Errc::invalid_argument, "--ttl: " + ttl.error().detail + ", or never"});
    body["ttl_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(*ttl).count();
  }
  auto client = connect(remote);
  if (!client) return report(client.error());
  const json::value value = std::move(body);
  auto answer = client->call("POST", "/api/v1/tokens", {}, &value);
  if (!answer) return report(answer.error());
  if (remote.output == Output::json) return print_value(remote, *answer);
  // The token alone on standard output, so that it can go into a variable; the rest is for the person.
  auto& token = answer->as_object();
  std::fprintf(stderr, "token %s of %s, expires: %s. It is shown this once.\n",
               render_cell(token["id"]).c_str(), render_cell(token["principal"]).c_str(),
               token["expires"].is_null() ? "never" : render_cell(token["expires"]).c_str());
  std::printf("%s\n", render_cell(token["token"]).c_str());
  return static_cast<int>(Exit::done);
}

int token_list(const Remote& remote, const std::string& principal) {
  return list_and_print(remote, "/api/v1/tokens", {{"principal", principal}}, kEverything,
                        {"id", "principal", "state", "expires", "created", "created_by", "label"});
}

int token_revoke(const Remote& remote, const std::string& id) {
  // The whole token is taken too: whoever finds one leaked has nothing else.
  std::string only = id;
  if (only.starts_with("slc_") && only.size() > 12) only = only.substr(4, 8);
  return call_and_print(remote, "DELETE", "/api/v1/tokens/" + percent_encode(only));
}

}  // namespace sluice::app::commands
