// A measurement in one sentence.
#pragma once

#include <string>

#include "eval/report.h"

namespace lichen::eval {

/// The plan (not a model alone) that stands for all in a headline: of those that the suite cannot
/// tell from the best in quality (the paired interval against large alone reaches the best one's
/// value), the one that needs least of large, and of two the faster. Null where there is none.
const Row* best_plan(const Report& report);

/// How the best plan compares with each model alone; how large does with small where no plan was
/// measured; empty where there is nothing to compare.
std::string in_words(const Report& report);

}  // namespace lichen::eval
