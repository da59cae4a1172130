// Names the calling thread, for top, gdb and perf. Linux keeps 15 characters; more are cut.
#pragma once

#include <string>

namespace sluice {

void name_thread(std::string name);

}  // namespace sluice
