#include "core/thread_name.h"

#include <pthread.h>

namespace sluice {

void name_thread(std::string name) {
  constexpr std::size_t kLongest = 15;  // without the NUL; a longer one is refused
  if (name.size() > kLongest) name.resize(kLongest);
  (void)pthread_setname_np(pthread_self(), name.c_str());
}

}  // namespace sluice
