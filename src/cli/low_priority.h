// For work that nobody waits for.
#pragma once

#include <string>

namespace lichen::cli {

/// From here on this thread, and all threads and processes that it starts, compute only when
/// nothing else of the machine wants to: SCHED_IDLE, or nice 19 where the system refuses that. Says
/// which.
std::string compute_only_when_idle();

}  // namespace lichen::cli
