#include "proxy/pg/session/session_settings.h"

#include <algorithm>
#include <array>

namespace sluice::proxy::pg {
namespace {

// Sorted, lower case.
constexpr std::array<std::string_view, 42> kFree = {
    "bytea_output",
    "client_min_messages",
    "commit_delay",
    "datestyle",
    "deadlock_timeout",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "extra_float_digits",
    "gin_fuzzy_search_limit",
    "hnsw.ef_search",
    "hnsw.iterative_scan",
    "hnsw.max_scan_tuples",
    "hnsw.scan_mem_multiplier",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "intervalstyle",
    "ivfflat.iterative_scan",
    "ivfflat.max_probes",
    "ivfflat.probes",
    "jit",  // how expressions are computed, not in which order rows come; asyncpg turns it off
    "lc_messages",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "lock_timeout",
    "maintenance_work_mem",
    "max_parallel_maintenance_workers",
    "pg_trgm.similarity_threshold",
    "pg_trgm.strict_word_similarity_threshold",
    "pg_trgm.word_similarity_threshold",
    "restrict_nonsystem_relation_kind",
    "statement_timeout",
    "synchronize_seqscans",
    "synchronous_commit",
    "timezone",
    "transaction_deferrable",
    "transaction_isolation",
    "transaction_read_only",
    "transaction_timeout",
    "work_mem",
    "xmlbinary",
};

constexpr std::array<std::string_view, 7> kPlanner = {
    "effective_cache_size",
    "from_collapse_limit",
    "geqo",
    "join_collapse_limit",
    "max_parallel_workers_per_gather",
    "plan_cache_mode",
    "random_page_cost",
};

struct Pin {
  std::string_view name;
  std::string_view value;
};
constexpr std::array<Pin, 4> kPins = {{
    {"backslash_quote", "safe_encoding"},
    {"client_encoding", "UTF8"},
    {"row_security", "on"},
    {"standard_conforming_strings", "on"},
}};

// Manual, "Asynchronous Operations".
constexpr std::array<std::string_view, 15> kReported = {
    "DateStyle",        "IntervalStyle",         "TimeZone",
    "application_name", "client_encoding",       "default_transaction_read_only",
    "in_hot_standby",   "integer_datetimes",     "is_superuser",
    "scram_iterations", "search_path",           "server_encoding",
    "server_version",   "session_authorization", "standard_conforming_strings",
};

constexpr std::size_t kMaxApplicationName = 63;  // NAMEDATALEN - 1: the server cuts there

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

}  // namespace

SettingClass classify_setting(std::string_view raw) {
  const auto name = lower(raw);
  if (name == "search_path") return SettingClass::path;
  if (name == "application_name") return SettingClass::identity;
  if (pinned_value(name)) return SettingClass::pinned;
  if (std::ranges::binary_search(kFree, std::string_view{name})) return SettingClass::free;
  if (name.starts_with("enable_") || std::ranges::binary_search(kPlanner, std::string_view{name})) {
    return SettingClass::planner;
  }
  return SettingClass::refused;
}

std::optional<std::string_view> pinned_value(std::string_view raw) {
  const auto name = lower(raw);
  for (const auto& pin : kPins) {
    if (pin.name == name) return pin.value;
  }
  return std::nullopt;
}

bool means_pinned_value(std::string_view raw_name, std::string_view raw_value) {
  const auto pin = pinned_value(raw_name);
  if (!pin) return false;
  auto value = lower(raw_value);
  if (lower(*pin) == value) return true;
  if (lower(raw_name) == "client_encoding") {
    // As the server reads it: nothing but letters and digits counts (encnames.c, clean_encoding_name).
    std::erase_if(value, [](unsigned char c) { return std::isalnum(c) == 0; });
    return value == "utf8" || value == "unicode";
  }
  return *pin == "on" && (value == "true" || value == "yes" || value == "1" || value == "t" || value == "y");
}

bool is_reported(std::string_view name) {
  return std::ranges::find(kReported, name) != kReported.end();
}

std::string upstream_application_name(std::string_view principal, std::string_view session,
                                      std::string_view client) {
  std::string name{"sluice:"};
  name.append(principal).append(":").append(session);
  if (!client.empty()) name.append(" ").append(client);
  std::ranges::replace_if(name, [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  if (name.size() > kMaxApplicationName) name.resize(kMaxApplicationName);
  return name;
}

}  // namespace sluice::proxy::pg
