// The `judge` check: a model says whether an answer is right. The suite's other checks are
// functions (checks.h).
#pragma once

#include <stop_token>
#include <string>

#include "eval/suite.h"
#include "lichen/result.h"
#include "lichen/runtime.h"

namespace lichen::eval {

/// Whether any task of the suite needs a judge.
bool needs_judge(const Suite& suite);

/// Asks the plan or model `judge` by the prompt of prompts/judge.txt; a reply that begins with yes
/// is right, one with no wrong. Fails as the judge does; `upstream`: it replied neither.
awaitable<Result<bool>> judged_right(Runtime& runtime, std::string judge, std::string question,
                                     std::string answer, std::stop_token stop);

}  // namespace lichen::eval
