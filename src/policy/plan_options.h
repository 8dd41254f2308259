// What a mechanism reads of a plan's YAML.
#pragma once

#include "lichen/answerer.h"
#include "lichen/result.h"
#include "mechanisms/mechanism.h"
#include "policy/plan_builder.h"
#include "policy/yaml.h"

namespace lichen::policy {

/// Builds `mechanism` from the YAML under its key. `bad_config` with file and line: an option that
/// is missing, unknown, or not what it may be.
Result<AnswererPtr> build_mechanism(PlanBuilder& builder, const mechanisms::Mechanism& mechanism,
                                    const YamlNode& options);

}  // namespace lichen::policy
