// The values of a tensor that is to be trained, or to be trained upon.
#pragma once

#include <vector>

#include "lichen/result.h"
#include "model/weights_file.h"

namespace lichen::training {

/// All elements, dequantized. `unsupported`: of a type that cannot be turned into floats;
/// `bad_model`: one is infinite or no number, or the file cannot be read.
Result<std::vector<float>> floats_of(const model::WeightsFile& file,
                                     const model::gguf::Tensor& tensor);

}  // namespace lichen::training
