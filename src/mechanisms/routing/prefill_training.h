// Trains `prefill` on the features of examples, by L-BFGS with an L2 penalty. The hidden layer
// begins with random weights, by the seed.
#pragma once

#include "mechanisms/routing/prefill_model.h"
#include "mechanisms/routing/router_training.h"

namespace lichen::mechanisms {

/// `bad_request` where the examples have no features, or not as many as each other, or some that
/// are no numbers.
Result<PrefillModel> train_prefill(std::span<const Example> examples,
                                   const TrainingOptions& options);

}  // namespace lichen::mechanisms
