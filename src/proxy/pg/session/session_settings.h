// Which of PostgreSQL's run-time settings a client may choose, at start-up (StartupMessage) and by SET.
//
// An allow-list: a setting that is not on it is refused, because some change how statements are read
// (standard_conforming_strings, client_encoding), who runs them (role, session_authorization), what the
// server writes where (log_*, plan_cache), or turn the planner into an oracle for masked values (enable_*,
// see docs/masking.md). Pinned settings travel in the start-up packet towards the server, which RESET ALL
// and DISCARD ALL keep.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::proxy::pg {

enum class SettingClass {
  free,      // no effect beyond the client's own session
  path,      // search_path: followed, because names are resolved with it
  pinned,    // only to the value that it has anyway
  identity,  // application_name: kept, behind the gateway's own attribution
  planner,   // free where no mask is in force
  refused,
};

// Names are compared without case, as PostgreSQL does.
SettingClass classify_setting(std::string_view name);

// The value that a pinned setting has; nullopt when `name` is not pinned.
std::optional<std::string_view> pinned_value(std::string_view name);

// Whether `value` means the pinned value ("utf8", "UTF-8", "unicode" all mean UTF8; "on", "true", "1" mean
// on).
bool means_pinned_value(std::string_view name, std::string_view value);

// ParameterStatus that clients know; others stay with the gateway.
bool is_reported(std::string_view name);

// application_name towards the server: "sluice:<principal>:<session> <client's own>", within PostgreSQL's 63
// bytes, in printable ASCII, so that the database's own log attributes too.
std::string upstream_application_name(std::string_view principal, std::string_view session,
                                      std::string_view client);

}  // namespace sluice::proxy::pg
