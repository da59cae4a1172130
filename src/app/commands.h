// The command line: `sluice <noun> <verb>`. Exit codes are in docs/cli.md.
#pragma once

namespace sluice::app {

int run(int argc, char** argv);

}  // namespace sluice::app
