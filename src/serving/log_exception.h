// The completion handler of coroutines whose exceptions would otherwise be lost.
#pragma once

#include <exception>

namespace lichen::serving {

/// Logs `problem`, if there is one: a defect of ours, or the allocator's.
void log_exception(std::exception_ptr problem);

}  // namespace lichen::serving
