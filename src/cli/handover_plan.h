// `lichen route train --plan` and `lichen route calibrate --plan` where the plan is a handover.
#pragma once

#include <cstdint>
#include <string>

#include "cli/evaluation.h"
#include "cli/plan_subject.h"
#include "eval/suite.h"
#include "mechanisms/routing/calibration_file.h"

namespace lichen::cli {

/// How well criteria tell, of held-out prompts' tokens, those that large would have written
/// otherwise: areas under the ROC curve.
struct HeadReport {
  std::int64_t prompts = 0;   // that large answered and small has read
  std::int64_t left_out = 0;  // that one of them could not
  std::int64_t tokens = 0;    // trained on
  std::int64_t held_out = 0;  // tokens judged on
  std::int64_t unlike = 0;    // of these, such that large would have written another
  double head = 0, entropy = 0, margin = 0;
};

/// Lets large answer the suite of `options` and small read the answers; learns a head from four
/// fifths of the prompts, judges it on the rest, and writes it to `output`.
Result<HeadReport> train_handover_head(const policy::Config& config, const std::string& plan,
                                       const EvaluationOptions& options, const std::string& output);

/// Runs the handover with one threshold after the other, from the safest on, up to the first that
/// does not keep the target. It stands alone meanwhile, whatever the plan has around it.
Result<mechanisms::PlanCalibration> calibrate_handover(PlanSubject of, const eval::Suite& suite,
                                                       const EvaluationOptions& options,
                                                       const mechanisms::RiskTarget& target);

}  // namespace lichen::cli
