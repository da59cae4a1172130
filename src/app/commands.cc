#include "app/commands.h"

namespace sluice::app {

int run(int, char**) {
  return 2;
}

}  // namespace sluice::app
