// From measured outcomes to a plan's calibration: how sure the plan was of each prompt, and whether
// small alone was wrong where large alone was right.
#pragma once

#include <string>
#include <vector>

#include "eval/outcome.h"
#include "lichen/result.h"
#include "mechanisms/routing/risk.h"

namespace lichen::eval {

/// The plans that were measured for it.
struct CalibratedPlan {
  std::string plan;
  std::string mechanism;  // whose decision carries the score
  std::string small;      // alone
  std::string large;      // alone
};

/// One for each task that all three have an outcome of. The need is minus the decision's score;
/// where there was none (small failed, say), large answers at every threshold: infinity.
/// `bad_request`: a request of the plan has two scores of the mechanism, or none of them has one.
Result<std::vector<mechanisms::Scored>> scored_requests(const std::vector<Outcome>& outcomes,
                                                        const CalibratedPlan& calibrated);

/// What a run of a handover at one threshold lost, beside large alone on the same tasks; the
/// threshold is the caller's to fill in. A request that failed is wrong. `upstream`: all failed.
Result<mechanisms::GridPoint> handover_point(const std::vector<Outcome>& handover,
                                             const std::vector<Outcome>& large);

}  // namespace lichen::eval
