// The composition root: makes every part, connects them, and runs until SIGTERM or SIGINT, then drains.
// SIGHUP reloads the live settings, the certificates and the policy.
#pragma once

#include "app/settings.h"
#include "core/result.h"

namespace sluice::app {

// Blocks. An Error means that it could not start or had to stop; a clean drain is success.
Result<void> serve(const Settings& settings);

}  // namespace sluice::app
