// `sluice doctor`: looks at what usually is wrong, and says what to do.
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdio>

#include "app/command_local.h"
#include "app/exit_codes.h"
#include "app/files.h"
#include "app/keys.h"
#include "app/settings.h"
#include "core/crypto.h"
#include "net/tls.h"
#include "policy/policy_set.h"
#include "policy/rule.h"

namespace sluice::app::commands {
namespace {

namespace json = boost::json;

constexpr std::size_t kManyConnections = 10'000;    // whoever has more looks at them one by one
constexpr std::uint64_t kLittleSpace = 2ull << 30;  // bytes; a day of a busy gateway

class Findings {
 public:
  void good(const std::string& text) { std::printf("ok    %s\n", text.c_str()); }
  void bad(const std::string& text, const std::string& advice) {
    std::printf("WRONG %s\n      %s\n", text.c_str(), advice.c_str());
    any_ = true;
  }
  void note(const std::string& text) { std::printf("note  %s\n", text.c_str()); }
  int exit() const { return static_cast<int>(any_ ? Exit::failed : Exit::done); }

 private:
  bool any_ = false;
};

void look_at_folder(const Settings& settings, Findings& out) {
  struct stat info{};
  const auto data = settings.data();
  if (::stat(data.c_str(), &info) != 0)
    return out.bad("data folder " + data.string() + " is missing", "sluice init --data " + data.string());
  if ((info.st_mode & 077) != 0)
    return out.bad("data folder " + data.string() + " is open to others", "chmod 700 " + data.string());
  out.good("data folder " + data.string());
  struct statvfs disk{};
  const auto record = settings.path(settings.record.dir);
  if (::statvfs(record.c_str(), &disk) != 0)
    return out.bad("record folder " + record.string() + " is missing", "mkdir -m 700 " + record.string());
  const auto free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto text = fmt::format("{} MiB free for the record in {}", free >> 20, record.string());
  free < kLittleSpace ? out.bad(text, "statements fail when the disk is full: make room or move record.dir")
                      : out.good(text);
}

void look_at_files(const Settings& settings, Findings& out) {
  if (auto key = load_signing_key(settings.data()); !key) {
    out.bad("signing key: " + key.error().detail,
            "restore keys/ from your backup; a new key cannot continue the record");
  } else {
    out.good("signing key");
  }
  for (const auto& listener : settings.postgres) {
    auto tls = net::TlsServerContext::load(settings.path(listener.certificate).string(),
                                           settings.path(listener.key).string(), {"postgresql"});
    const auto what = fmt::format("certificate of postgres listener {}:{}", listener.address, listener.port);
    tls ? out.good(what) : out.bad(what + ": " + tls.error().detail, "see postgres[].certificate and key");
  }
  const auto loaded = policy::load_folder(settings.path(settings.policy_dir), 1);
  if (loaded.policy) {
    out.good(fmt::format("policy of {} rules", loaded.policy->summaries().size()));
  } else {
    out.bad(loaded.problems.empty() ? "policy" : policy::to_string(loaded.problems.front()),
            "sluice policy check");
  }
}

// What would make the database itself one more wall, as lines for psql.
void look_at_roles(const std::string& connection, const json::value& answer, Findings& out) {
  for (const auto& [alias, role] : answer.at("roles").as_object()) {
    const std::string user{role.at("user").as_string()};
    const auto who =
        fmt::format("role {} of {} ({} in the database)", std::string_view{alias}, connection, user);
    if (const auto& problem = role.at("problem").as_string(); !problem.empty()) {
      out.bad(fmt::format("{}: {}", who, std::string_view{problem}), "sluice connection test " + connection);
      continue;
    }
    const auto& statements = role.at("statements").as_array();
    if (statements.empty()) {
      out.good(who + " has no more rights there than a client needs");
      continue;
    }
    out.note(who + " has rights there that no client needs. These make the database one more wall:");
    for (const auto& each : statements) {
      std::printf("      %s  -- %s\n", render_cell(each.at("statement")).c_str(),
                  render_cell(each.at("reason")).c_str());
    }
  }
}

void look_at_connections(const ApiClient& client, Findings& out) {
  const auto connections = client.items("/api/v1/connections", {}, kManyConnections);
  if (!connections) return out.note("connections: " + connections.error().detail);
  for (const auto& each : *connections) {
    const std::string name{each.at("name").as_string()};
    if (each.at("disabled").as_bool()) continue;
    const auto answer =
        client.call("POST", fmt::format("/api/v1/connections/{}/advise", percent_encode(name)));
    if (!answer) {
      out.note(fmt::format("rights in the database of {}: {}", name, answer.error().detail));
      if (answer.error().code == Errc::forbidden) return;
      continue;
    }
    look_at_roles(name, *answer, out);
  }
}

void look_at_gateway(const ContextFlags& flags, Findings& out) {
  auto context = find_context(flags);
  if (!context) return out.bad(context.error().detail, "sluice context set");
  auto client = ApiClient::connect(std::move(*context));
  if (!client) return out.bad(client.error().detail, "use https");
  if (auto ready = client->call("GET", "/readyz"); !ready) {
    return out.bad(fmt::format("gateway at {}: {}", client->address(), ready.error().detail),
                   "is it running? sluice serve");
  }
  out.good("gateway at " + client->address());
  auto me = client->call("GET", "/api/v1/me");
  if (!me) return out.bad("token: " + me.error().detail, "sluice token create, by an administrator");
  out.good("token of " + render_cell(me->get_object()["name"]));
  try {
    look_at_connections(*client, out);
  } catch (const std::exception& problem) {  // Boost.JSON's, at what is not there
    out.bad(fmt::format("the gateway's answer: {}", problem.what()), "is it of this version? sluice version");
  }
}

}  // namespace

int doctor(const std::string& config, const ContextFlags& flags) {
  initialise_crypto();
  Findings out;
  if (config.empty()) {
    out.note("no --config: looking at the running gateway only");
  } else if (auto settings = load_settings(config, process_environment()); !settings) {
    out.bad(settings.error().detail, "sluice config check " + config);
  } else {
    out.good("settings " + config);
    look_at_folder(*settings, out);
    look_at_files(*settings, out);
  }
  look_at_gateway(flags, out);
  return out.exit();
}

}  // namespace sluice::app::commands
