// A student as its GGUF has it: what it computes, and its weights.
#pragma once

#include "lichen/result.h"
#include "mechanisms/distillation/training/engine.h"
#include "mechanisms/distillation/training/student_shape.h"
#include "model/weights_file.h"

namespace lichen::training {

/// "llama, qwen2, qwen3, gemma, gemma2, gemma3"
std::string trainable_architectures();

/// `unsupported` names what this trainer does not compute (another architecture, experts, YaRN);
/// `bad_model` what is missing or does not fit.
Result<StudentShape> read_shape(const model::WeightsFile& file);

/// All tensors, dequantized, into the engine. `bad_model`: one is missing, of another shape, or has
/// values that are no numbers.
Result<void> load_weights(const model::WeightsFile& file, const StudentShape& shape,
                          Engine& engine);

}  // namespace lichen::training
