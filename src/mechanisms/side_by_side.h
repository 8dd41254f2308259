// Several coroutines at once, where one alone would leave the lane or the network idle.
#pragma once

#include <vector>

#include "lichen/turn.h"

namespace lichen::mechanisms {

/// Starts all of `work` on the caller's executor and returns when the last has ended; then throws
/// what one of them has thrown. Each must keep to a turn of its own.
awaitable<void> side_by_side(std::vector<awaitable<void>> work);

}  // namespace lichen::mechanisms
