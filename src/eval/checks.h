// How an answer is compared with its reference. To add a check: a row in the table of checks.cpp,
// its test, its line in docs/suite.md.
#pragma once

#include <span>
#include <string_view>

#include "lichen/result.h"

namespace lichen::eval {

/// Pure functions, safe from any thread.
struct Check {
  std::string_view name;     // the suite's "check" field
  std::string_view summary;  // one line for people
  /// Whether `reference` is one that this check can compare with; called once, when the suite is
  /// loaded. `bad_request` says what would be right.
  Result<void> (*accepts)(std::string_view reference);
  /// Whether `answer` is right. Fails only where the comparison itself cannot be carried out (a
  /// regular expression that backtracks without end, an answer over the size limit). Null: no
  /// function can tell, a model has to (judge.h).
  Result<bool> (*right)(std::string_view reference, std::string_view answer);
};

/// All checks, by name.
std::span<const Check> checks();

/// `not_found` lists what there is.
Result<const Check*> find_check(std::string_view name);

}  // namespace lichen::eval
