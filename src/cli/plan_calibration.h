// `lichen route calibrate --plan` and `lichen route train --plan`: what is counted of a plan, or
// learned for it, by measuring it on a suite. handover_plan.h has what is special to a handover.
#pragma once

#include <string>

#include "cli/evaluation.h"
#include "mechanisms/routing/calibration_file.h"

namespace lichen::cli {

/// Measures a plan on the suite of `options` and writes the calibration to `output`: its score
/// beside its small and large alone; of a handover, one threshold after the other, up to the first
/// that does not keep the target.
Result<mechanisms::PlanCalibration> calibrate_plan(const policy::Config& config,
                                                   const std::string& plan,
                                                   const EvaluationOptions& options,
                                                   const mechanisms::RiskTarget& target,
                                                   const std::string& output);

/// What a calibration was made with, when it is made again for another version of a model.
struct CalibrationOptions {
  EvaluationOptions measuring;
  mechanisms::RiskTarget target;
};
/// `bad_model`: it does not say what it was made with.
Result<CalibrationOptions> made_with(const mechanisms::PlanCalibration& calibration);

/// Measures the plan's small and large alone on the suite of `options`; writes the confidence that
/// is learned from it to `output`. Returns the number of answers.
Result<std::size_t> train_plan(const policy::Config& config, const std::string& plan,
                               const EvaluationOptions& options, const std::string& output);

}  // namespace lichen::cli
