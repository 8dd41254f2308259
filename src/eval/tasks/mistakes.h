// Plausible mistakes, for the families in which an answer is judged or mended.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/tasks/task.h"

namespace lichen::eval::tasks {

/// The number with a digit changed, or off by one or ten; never the same number.
std::string slipped(Random& random, std::string_view number);

/// A full answer to the task whose final answer is wrong: one of its rivals, or a slip.
std::string wrong_answer(Random& random, const Task& task);

struct WrongStep {
  std::vector<std::string> steps;  // of the whole solution, with the mistake carried on
  std::string answer;
  std::string first_wrong;
};
/// A solution with one miscalculated step. Nothing where no step ends in "= number".
std::optional<WrongStep> wrong_step(Random& random, const Task& task);

/// The edits that turn `draft` into `wanted`: lines "old => new", each old one a piece of the draft
/// that stands there only once.
std::string edits_between(std::string_view draft, std::string_view wanted);

}  // namespace lichen::eval::tasks
