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
  // application_name, which the gateway tracks and only sees change by SET.
  bool computed = false;
  bool empty() const { return changes.empty() && !computed; }
};

SettingChanges setting_changes(const sql::Statement& statement);

}  // namespace sluice::postgres
