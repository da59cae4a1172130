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
  bool computed = false;  // set_config() with a name that is not a constant: nobody can tell which setting
  bool empty() const { return changes.empty() && !computed; }
};

SettingChanges setting_changes(const sql::Statement& statement);

}  // namespace sluice::postgres
