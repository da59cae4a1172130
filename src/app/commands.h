// The command line: `sluice <noun> <verb>`. Exit codes are in app/exit_codes.h and docs/cli.md.
#pragma once

#include <string>

namespace sluice::app {

int run(int argc, char** argv);

// docs/cli.md, from the same definitions that parse the command line.
std::string command_page();

}  // namespace sluice::app
