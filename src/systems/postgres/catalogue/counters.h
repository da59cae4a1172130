// The views of pg_catalog that count what is done to relations (pg_stat_user_tables, pg_statio_all_tables and
// the like). Counters tell how many rows were gone through until there was an answer; the names beside them
// tell about the schema, and clients look relations up by them (Sequelize does, for comments).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace sluice::postgres {

inline bool is_counter_view(std::string_view schema, std::string_view name) {
  constexpr std::array<std::string_view, 15> kViews = {
      "pg_stat_all_indexes",    "pg_stat_all_tables",       "pg_stat_sys_indexes",
      "pg_stat_sys_tables",     "pg_stat_user_indexes",     "pg_stat_user_tables",
      "pg_statio_all_indexes",  "pg_statio_all_sequences",  "pg_statio_all_tables",
      "pg_statio_sys_indexes",  "pg_statio_sys_sequences",  "pg_statio_sys_tables",
      "pg_statio_user_indexes", "pg_statio_user_sequences", "pg_statio_user_tables"};
  return schema == "pg_catalog" && std::ranges::find(kViews, name) != kViews.end();
}

// A column of theirs that counts nothing.
inline bool names_what_is_counted(std::string_view column) {
  constexpr std::array<std::string_view, 5> kNames = {"relid", "indexrelid", "schemaname", "relname",
                                                      "indexrelname"};
  return std::ranges::find(kNames, column) != kNames.end();
}

}  // namespace sluice::postgres
