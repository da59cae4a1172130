// /api/v1/connections: named ways to upstream databases. A credential is named by where it comes from, never
// carried.
#include <set>

#include "admin/handlers.h"
#include "admin/names.h"
#include "admin/page.h"

namespace sluice::admin::handlers {
namespace {

using identity::OpenSessions;

constexpr std::size_t kMaxHostLength = 255;        // RFC 1035
constexpr std::size_t kMaxReferenceLength = 1024;  // a path or a command line

struct TlsName {
  UpstreamTls value;
  std::string_view name;
};
constexpr std::array kTlsNames = {
    TlsName{UpstreamTls::disable, "disable"}, TlsName{UpstreamTls::require, "require"},
    TlsName{UpstreamTls::verify_ca, "verify_ca"}, TlsName{UpstreamTls::verify_full, "verify_full"}};
struct KindName {
  CredentialSource::Kind value;
  std::string_view name;
};
constexpr std::array kKindNames = {KindName{CredentialSource::Kind::none, "none"},
                                   KindName{CredentialSource::Kind::file, "file"},
                                   KindName{CredentialSource::Kind::environment, "environment"},
                                   KindName{CredentialSource::Kind::command, "command"}};

template <class Table, class Value>
std::string_view name_of(const Table& table, Value value) {
  for (const auto& row : table) {
    if (row.value == value) return row.name;
  }
  return "unknown";
}

json::object render(const CredentialSource& source) {
  return {{"kind", name_of(kKindNames, source.kind)}, {"reference", source.reference}};
}

json::object render(const Connection& connection) {
  json::array roles;
  for (const auto& role : connection.roles) {
    roles.push_back(json::object{{"alias", role.alias},
                                 {"groups", to_json(role.groups)},
                                 {"upstream_user", role.upstream_user},
                                 {"credential", render(role.credential)}});
  }
  return {{"name", connection.name},
          {"system", connection.system},
          {"host", connection.host},
          {"port", connection.port},
          {"database", connection.database},
          {"tls", name_of(kTlsNames, connection.tls)},
          {"tls_ca_file", connection.tls_ca_file},
          {"roles", std::move(roles)},
          {"disabled", connection.disabled},
          {"version", connection.version}};
}

Response respond(const Connection& connection, int status = 200) {
  auto response = json_response(render(connection), status);
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", connection.version));
  return response;
}

Result<std::shared_ptr<const Connection>> find(Control& control, const Call& call) {
  const auto& name = call.path.at("name");
  auto connection = control.parts().connections.current()->find(name);
  if (!connection) return fail(Errc::not_found, "there is no connection \"{}\"", name);
  return connection;
}

Result<CredentialSource> read_credential(const json::value& value, const std::string& place) {
  if (!value.is_object()) return fail(Errc::invalid_argument, "{}: must be an object", place);
  Fields fields{value.get_object(), place};
  CredentialSource out;
  const auto kind = fields.required_text("kind");
  out.reference = fields.text("reference").value_or("");
  const auto known = std::ranges::find(kKindNames, kind, &KindName::name);
  if (known == kKindNames.end()) {
    fields.add_problem("kind", "must be none, file, environment or command");
  } else {
    out.kind = known->value;
    if ((out.kind == CredentialSource::Kind::none) != out.reference.empty()) {
      fields.add_problem("reference", "a path, a variable's name or a command line, unless the kind is none");
    }
  }
  CHECK_OK(fields.finish());
  return out;
}

Result<ConnectionRole> read_role(const json::value& value, const std::string& place) {
  if (!value.is_object()) return fail(Errc::invalid_argument, "{}: must be an object", place);
  Fields fields{value.get_object(), place};
  ConnectionRole role;
  role.alias = fields.required_text("alias");
  role.upstream_user = fields.required_text("upstream_user");
  role.groups = fields.texts("groups").value_or(std::vector<std::string>{});
  if (const auto* credential = fields.value("credential")) {
    TRY(role.credential, read_credential(*credential, place + ".credential"));
  }
  CHECK_OK(fields.finish());
  return role;
}

Result<void> read_body(const Call& call, Connection& connection, bool creating) {
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  if (creating) connection.name = fields.required_text("name");
  if (auto system = fields.text("system")) connection.system = std::move(*system);
  if (auto host = fields.text("host")) connection.host = std::move(*host);
  if (auto port = fields.number("port")) {
    if (*port == 0 || *port > 65535) fields.add_problem("port", "must be between 1 and 65535");
    connection.port = static_cast<std::uint16_t>(*port);
  }
  if (auto database = fields.text("database")) connection.database = std::move(*database);
  if (auto tls = fields.text("tls")) {
    const auto known = std::ranges::find(kTlsNames, *tls, &TlsName::name);
    if (known == kTlsNames.end()) {
      fields.add_problem("tls", "must be disable, require, verify_ca or verify_full");
    } else {
      connection.tls = known->value;
    }
  }
  if (auto file = fields.text("tls_ca_file")) connection.tls_ca_file = std::move(*file);
  if (const auto* roles = fields.value("roles")) {
    if (!roles->is_array()) return fail(Errc::invalid_argument, "roles: must be a list");
    connection.roles.clear();
    for (std::size_t i = 0; i < roles->get_array().size(); ++i) {
      TRY(auto role, read_role(roles->get_array()[i], fmt::format("roles[{}]", i)));
      connection.roles.push_back(std::move(role));
    }
  }
  return fields.finish();
}

Result<void> check(Control& control, const Connection& connection) {
  CHECK_OK(check_name("name", connection.name));
  const auto& systems = control.parts().systems;
  if (std::ranges::find(systems, connection.system) == systems.end()) {
    return fail(Errc::invalid_argument, "system: \"{}\" is none of {}", connection.system,
                fmt::join(systems, ", "));
  }
  const auto bad_in_host = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == '/' || c == '@';
  };
  if (connection.host.empty() || connection.host.size() > kMaxHostLength ||
      std::ranges::any_of(connection.host, bad_in_host)) {
    return fail(Errc::invalid_argument, "host: a host name or an IP address");
  }
  CHECK_OK(check_label("database", connection.database));
  if (!connection.tls_ca_file.empty()) CHECK_OK(check_label("tls_ca_file", connection.tls_ca_file));
  if (connection.roles.empty())
    return fail(Errc::invalid_argument, "roles: at least one, or nobody can connect");
  if (connection.roles.size() > kMaxListLength)
    return fail(Errc::invalid_argument, "roles: at most {}", kMaxListLength);
  std::set<std::string_view> aliases;
  for (const auto& role : connection.roles) {
    CHECK_OK(check_name("alias", role.alias));
    CHECK_OK(check_label("upstream_user", role.upstream_user));
    CHECK_OK(check_labels("groups", role.groups));
    if (!aliases.insert(role.alias).second)
      return fail(Errc::invalid_argument, "alias \"{}\" appears twice", role.alias);
    if (role.credential.reference.size() > kMaxReferenceLength) {
      return fail(Errc::invalid_argument, "credential: the reference has at most {} bytes",
                  kMaxReferenceLength);
    }
    if (role.credential.kind == CredentialSource::Kind::command && !control.parts().credential_commands) {
      return fail(Errc::forbidden,
                  "credentials from commands are off; admin.credential_commands turns them on");
    }
  }
  return {};
}

// "3" or "\"3\""; empty: whatever version it is.
Result<std::optional<std::uint64_t>> expected_version(const Request& request) {
  std::string_view text = request.if_match;
  if (text.empty() || text == "*") return std::optional<std::uint64_t>{};
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::uint64_t version = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || version > 1'000'000'000)
      return fail(Errc::invalid_argument, "If-Match: not a version");
    version = version * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return std::optional{version};
}

Answer change(Control& control, const Call& call, std::string action, const Connection& before,
              const Connection& after, OpenSessions sessions = OpenSessions::end) {
  TRY(const auto expected, expected_version(call.request));
  CHECK_OK(check(control, after));
  if (expected && *expected != before.version) {
    return fail(Errc::conflict, "connection \"{}\" has changed meanwhile: it is at version {}", before.name,
                before.version);
  }
  auto change = render(after);
  change["end_sessions"] = sessions == OpenSessions::end;
  CHECK_OK(control.report(call, std::move(action), "connection:" + before.name,
                          json::serialize(render(before)), json::serialize(change)));
  CHECK_OK(control.parts().connection_repository.update_connection(after, before.version, sessions));
  CHECK_OK(control.publish_connections());
  auto now = control.parts().connections.current()->find(after.name);
  if (!now) return fail(Errc::internal, "the connection has gone while it was changed");
  return respond(*now);
}

Answer set_disabled(Control& control, const Call& call, bool disabled) {
  TRY(auto before, find(control, call));
  Connection after = *before;
  after.disabled = disabled;
  return change(control, call, disabled ? "connection.disable" : "connection.enable", *before, after);
}

}  // namespace

Answer list_connections(Control& control, const Call& call) {
  TRY(const auto page, page_query(call.request));
  const auto table = control.parts().connections.current();
  json::array items;
  std::string last;
  bool more = false;
  for (auto at = table->all().upper_bound(page.after); at != table->all().end(); ++at) {
    if (items.size() == page.limit) {
      more = true;
      break;
    }
    items.push_back(render(*at->second));
    last = at->first;
  }
  return page_response(std::move(items), last, more);
}

Answer create_connection(Control& control, const Call& call) {
  Connection connection;
  connection.system = "postgres";
  CHECK_OK(read_body(call, connection, true));
  CHECK_OK(check(control, connection));
  if (control.parts().connections.current()->find(connection.name)) {
    return fail(Errc::conflict, "connection \"{}\" exists already", connection.name);
  }
  CHECK_OK(control.report(call, "connection.create", "connection:" + connection.name, "",
                          json::serialize(render(connection))));
  CHECK_OK(control.parts().connection_repository.add_connection(connection));
  CHECK_OK(control.publish_connections());
  connection.version = 1;
  return respond(connection, 201);
}

Answer show_connection(Control& control, const Call& call) {
  TRY(auto connection, find(control, call));
  return respond(*connection);
}

Answer update_connection(Control& control, const Call& call) {
  TRY(auto before, find(control, call));
  Connection after = *before;
  CHECK_OK(read_body(call, after, false));
  return change(control, call, "connection.update", *before, after);
}

// Runs beside the control thread: dialling takes as long as the upstream lets it.
Answer test_connection(Control& control, const Call& call) {
  TRY(auto connection, find(control, call));
  json::object roles;
  bool ok = true;
  for (const auto& [alias, test] : control.parts().tester.test(*connection)) {
    ok = ok && test.ok;
    roles[alias] = json::object{{"ok", test.ok},
                                {"server_version", test.server_version},
                                {"problem", test.problem},
                                {"took_ms", test.took.count()}};
  }
  return json_response(json::object{{"ok", ok}, {"roles", std::move(roles)}});
}

// As above.
Answer advise_roles(Control& control, const Call& call) {
  TRY(auto connection, find(control, call));
  json::object roles;
  for (const auto& [alias, advice] : control.parts().tester.advise(*connection)) {
    json::array statements;
    for (const auto& [statement, reason] : advice.statements) {
      statements.push_back(json::object{{"statement", statement}, {"reason", reason}});
    }
    roles[alias] = json::object{
        {"user", advice.user}, {"problem", advice.problem}, {"statements", std::move(statements)}};
  }
  return json_response(json::object{{"roles", std::move(roles)}});
}

Answer list_functions(Control& control, const Call& call) {
  TRY(const auto connection, find(control, call));
  TRY(const auto page, page_query(call.request));
  TRY(const auto functions, control.parts().policy.functions(*connection));
  json::array items;
  std::string last;
  bool more = false;
  for (const auto& function : functions) {
    if (function.signature <= page.after) continue;
    if (items.size() == page.limit) {
      more = true;
      break;
    }
    items.push_back(json::object{{"function", function.signature},
                                 {"sha256", function.sha256},
                                 {"language", function.language},
                                 {"volatile", function.is_volatile},
                                 {"extension", function.extension},
                                 {"state", function.state}});
    last = function.signature;
  }
  return page_response(std::move(items), last, more);
}

Answer list_former_names(Control& control, const Call& call) {
  TRY(const auto connection, find(control, call));
  TRY(const auto page, page_query(call.request));
  json::array items;
  std::string last;
  bool more = false;
  for (const auto& name : control.parts().policy.former_names(*connection)) {
    const std::string place = fmt::format("{}\n{}\n{}", name.now, name.former, name.database);
    if (place <= page.after) continue;
    if (items.size() == page.limit) {
      more = true;
      break;
    }
    items.push_back(json::object{{"name", name.now}, {"former", name.former}, {"database", name.database}});
    last = place;
  }
  return page_response(std::move(items), last, more);
}

Answer forget_names(Control& control, const Call& call) {
  TRY(const auto connection, find(control, call));
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  const auto name = fields.required_text("name");
  CHECK_OK(fields.finish());
  const auto known = control.parts().policy.former_names(*connection);
  if (std::ranges::find(known, name, &FormerName::now) == known.end()) {
    return fail(Errc::not_found, "nothing on \"{}\" that is called \"{}\" was called otherwise before",
                connection->name, name);
  }
  // Recorded before it takes effect: from then on something may be shown.
  CHECK_OK(control.report(call, "connection.names.forget", "connection:" + connection->name, name, ""));
  CHECK_OK(control.parts().policy.forget_names(*connection, name));
  return Response{.status = 204, .content_type = ""};
}

Answer rotate_credential(Control& control, const Call& call) {
  TRY(auto before, find(control, call));
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  const auto alias = fields.required_text("role");
  const auto* credential = fields.value("credential");
  const bool end_sessions = fields.flag("end_sessions").value_or(false);
  CHECK_OK(fields.finish());
  Connection after = *before;
  const auto role = std::ranges::find(after.roles, alias, &ConnectionRole::alias);
  if (role == after.roles.end()) {
    return fail(Errc::not_found, "connection \"{}\" has no role \"{}\"", after.name, alias);
  }
  // Without a new source the old one is read again: the file's content has changed. The version rises either
  // way.
  if (credential != nullptr) {
    TRY(role->credential, read_credential(*credential, "credential"));
  }
  // Who is in has shown the old credential and is known to the database: unless told otherwise, they go on.
  return change(control, call, "connection.rotate", *before, after,
                end_sessions ? OpenSessions::end : OpenSessions::go_on);
}

Answer disable_connection(Control& control, const Call& call) {
  return set_disabled(control, call, true);
}
Answer enable_connection(Control& control, const Call& call) {
  return set_disabled(control, call, false);
}

Answer delete_connection(Control& control, const Call& call) {
  TRY(auto before, find(control, call));
  CHECK_OK(control.report(call, "connection.delete", "connection:" + before->name,
                          json::serialize(render(*before)), ""));
  CHECK_OK(control.parts().connection_repository.remove_connection(before->name));
  CHECK_OK(control.publish_connections());
  return Response{.status = 204, .content_type = ""};
}

}  // namespace sluice::admin::handlers
