// How long a model's passes take on this machine, and with which threads they are fastest.
#pragma once

#include "model/llama/llama_backend.h"

namespace lichen::model {

/// Computes passes of several sizes, for half a second at most where the model is quick; or one
/// size only, where an earlier start has kept its times in `options.times_folder` and that size
/// takes as long as it did then. Sets the backend's threads. On the lane's thread.
StepTimes measure_passes(LlamaBackend& backend, const LocalModelOptions& options);

}  // namespace lichen::model
