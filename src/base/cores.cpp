#include "base/cores.h"

#include <sched.h>

#include <algorithm>
#include <thread>

namespace lichen::base {

int usable_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // Fails on machines with more cores than the set has room for.
  const int cores = sched_getaffinity(0, sizeof allowed, &allowed) == 0
                        ? CPU_COUNT(&allowed)
                        : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, cores);
}

}  // namespace lichen::base
