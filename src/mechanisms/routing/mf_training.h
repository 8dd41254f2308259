// Trains `mf` by L-BFGS. No random choice is made.
#pragma once

#include "mechanisms/routing/mf_router.h"
#include "mechanisms/routing/router_training.h"

namespace lichen::mechanisms {

MfModel train_mf(const TrainingSet& set, const TrainingOptions& options);
void add_mf_model(RouterFile& file, const MfModel& model);

}  // namespace lichen::mechanisms
