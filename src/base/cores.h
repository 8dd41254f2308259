// How many cores this process may use.
#pragma once

namespace lichen::base {

/// Those of its affinity mask (taskset, a container's cpuset), which may be fewer than the machine
/// has; 1 at least. More computing threads than these would wait for each other.
int usable_cores();

}  // namespace lichen::base
