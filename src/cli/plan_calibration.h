// `lichen route calibrate --plan`: a plan's losses counted on a suite.
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

}  // namespace lichen::cli
