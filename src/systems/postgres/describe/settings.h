// Which settings a statement changes: SET, RESET, SET LOCAL, and set_config() anywhere in it. The caller
// holds the list of settings that a client may change, and the pinned ones.
#pragma once

#include <string>
#include <vector>

#include "systems/postgres/sql/parse.h"

namespace sluice::postgres {

struct SettingChanges {
  struct Change {
    std::string name;  // lower case, as PostgreSQL compares them; "all" for RESET ALL and DISCARD ALL
    bool reset = false;
    std::string value;  // of SET with one constant; several are joined with ", "
    bool local = false;
  };
  std::vector<Change> changes;
  // set_config() that cannot be followed: its name is not a constant, or it names search_path or
  // application_name, which the gateway tracks: application_name changes by SET only, search_path also as
  // below.
  bool computed = false;
  // The statement is SELECT set_config('setting', 'constant', constant) and nothing else: it runs once,
  // whole, and changes what a SET would. pg_dump says so, also with `name` FROM pg_settings WHERE name =
  // 'constant', which is as good where that is the server's own pg_settings.
  bool is_call = false;
  bool looks_at_pg_settings = false;
  bool empty() const { return changes.empty() && !computed; }
};

SettingChanges setting_changes(const sql::Statement& statement);

}  // namespace sluice::postgres
