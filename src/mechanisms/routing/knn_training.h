// Trains `knn`: finds the latent directions and keeps the training prompts as points.
#pragma once

#include "mechanisms/routing/router_training.h"

namespace lichen::mechanisms {

void train_knn(RouterFile& file, const TrainingSet& set, const TrainingOptions& options);

}  // namespace lichen::mechanisms
