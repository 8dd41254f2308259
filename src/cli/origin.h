// How a measurement was made, for its report.
#pragma once

#include "cli/evaluation.h"
#include "eval/report.h"

namespace lichen::cli {

/// Of now, on this machine. Nothing secret: of a remote model its name and url.
eval::Origin origin_of(const EvaluationOptions& options, const Invocation& invocation,
                       const policy::Config& config, const eval::Suite& suite,
                       const eval::Baselines& baselines);

}  // namespace lichen::cli
