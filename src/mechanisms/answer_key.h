// What tells whether two answers say the same.
#pragma once

#include <string>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

/// Equal for answers that come to the same. Of a text that is what it gives as its answer (see
/// `final_answer`; of a line of sums, "30 * 7 = 210", what stands behind the last sign of
/// equality), with letter case, runs of blanks and ways to write a number ("1,200.0") aside. JSON
/// is compared as a value, and so are calls of tools. Empty: it says nothing.
std::string answer_key(const Answer& answer);

}  // namespace lichen::mechanisms
