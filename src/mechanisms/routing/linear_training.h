// Trains `linear`: two logistic regressions with an L2 penalty, by L-BFGS. No random choice is
// made.
#pragma once

#include "mechanisms/routing/linear_router.h"
#include "mechanisms/routing/router_training.h"

namespace lichen::mechanisms {

LinearModel train_linear(const TrainingSet& set, const TrainingOptions& options);
void add_linear_model(RouterFile& file, const LinearModel& model);

}  // namespace lichen::mechanisms
