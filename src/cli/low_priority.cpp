#include "cli/low_priority.h"

#include <sched.h>
#include <sys/resource.h>

namespace lichen::cli {

std::string compute_only_when_idle() {
  const sched_param none{};
  if (::sched_setscheduler(0, SCHED_IDLE, &none) == 0) return "SCHED_IDLE";
  constexpr int kNicest = 19;
  return ::setpriority(PRIO_PROCESS, 0, kNicest) == 0 ? "nice 19" : "the usual priority";
}

}  // namespace lichen::cli
