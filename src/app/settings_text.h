// The settings as text: what `sluice init` writes, what `sluice config print|schema|docs` prints. All of it
// comes from settings.def.
#pragma once

#include <string>

#include "app/settings.h"

namespace sluice::app {

// YAML with every setting, as in force. Holds no secrets: settings name where secrets are, never their
// values.
std::string effective_yaml(const Settings& settings);
// The same as one JSON object.
std::string effective_json(const Settings& settings);
// YAML with a comment above each setting; what equals its default is commented out.
std::string commented_yaml(const Settings& settings);
// docs/configuration.md.
std::string configuration_page();
// JSON Schema (2020-12) of the file.
std::string settings_schema();

}  // namespace sluice::app
