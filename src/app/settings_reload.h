// What a changed settings file means for a gateway that runs: settings marked `live` take effect, the others
// wait for a restart and are named.
#pragma once

#include <string>
#include <vector>

#include "app/settings.h"

namespace sluice::app {

struct SettingsChange {
  Settings in_force;                    // `now` with the live settings of `fresh`
  std::vector<std::string> applied;     // "limits.sessions"
  std::vector<std::string> at_restart;  // changed in the file, and not in force: "workers", "postgres.0.port"
};

SettingsChange merge_live(const Settings& now, const Settings& fresh);

}  // namespace sluice::app
