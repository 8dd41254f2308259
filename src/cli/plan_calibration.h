// `lichen route calibrate --plan` and `lichen route train --plan`: what is counted of a plan, or
// learned for it, by measuring it on a suite. handover_plan.h has what is special to a handover.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/evaluation.h"
#include "mechanisms/routing/calibration_file.h"

namespace lichen::cli {

/// Measures the plan, and its small and large alone, on the suite of `options`; writes the
/// calibration to `output`.
Result<mechanisms::PlanCalibration> calibrate_plan(const Invocation& invocation,
                                                   const std::string& plan,
                                                   const EvaluationOptions& options,
                                                   const std::string& output);

/// Measures the plan's small and large alone on the suite of `options`; writes the confidence that
/// is learned from it to `output`. Returns the number of answers.
Result<std::size_t> train_plan(const Invocation& invocation, const std::string& plan,
                               const EvaluationOptions& options, const std::string& output);

}  // namespace lichen::cli
