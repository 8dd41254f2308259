// How much of what a large model has over a small one a student of it has learned, and what that
// cost elsewhere.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/outcome.h"
#include "eval/statistics.h"
#include "eval/suite.h"

namespace lichen::eval {

/// Names of the plans that are compared.
struct GapPlans {
  std::string small;
  std::string student;
  std::string large;
};

struct Gap {
  std::int64_t n = 0;      // tasks of the family, which all three answered
  std::int64_t small = 0;  // right answers
  std::int64_t student = 0;
  std::int64_t large = 0;
  std::int64_t others_n = 0;  // tasks of other families, which small and the student answered
  std::int64_t others_small = 0;
  std::int64_t others_student = 0;
  Estimate others = {};  // right answers of the student there less small's, task by task, a share

  /// (student - small) / (large - small); none where large is not the better one.
  std::optional<double> closed() const;
};

/// Outcomes in any order, of all tasks of `suite`, of which those with `family` are the lesson and
/// all others must not suffer. A task that one of the plans was not asked is left out; a request
/// that failed is a wrong answer.
Gap gap_of(const Suite& suite, const std::string& family, const std::vector<Outcome>& outcomes,
           const GapPlans& plans);

/// {"n", "small", "student", "large", "gap_closed", "others": {...}}; shares from 0 to 1,
/// "gap_closed" null where there is no gap.
boost::json::object to_json(const Gap& gap);

}  // namespace lichen::eval
