// What the metrics show of `auto`: what it chooses, what that was worth, and its budget.
#pragma once

#include <memory>

#include "mechanisms/mechanism.h"
#include "mechanisms/policy/plan_chooser.h"

namespace lichen::mechanisms {

void show(Options& options, const std::shared_ptr<const PlanChooser>& chooser);

}  // namespace lichen::mechanisms
