// An adapter as its GGUF has it, in llama.cpp's layout: what training goes on from.
#pragma once

#include <string>

#include "lichen/result.h"
#include "mechanisms/distillation/training/engine.h"
#include "mechanisms/distillation/training/training_method.h"
#include "model/weights_file.h"

namespace lichen::training {

/// How the adapter is made; its targets in the order of LoraOptions' own. `student_identity`:
/// base::file_identity of the student's file. `bad_model`: it is no LoRA adapter of this student,
/// or says that it was trained for another file; `unsupported`: training has no adapter like it
/// (other matrices, not all layers, ranks that differ).
Result<LoraOptions> read_lora(const model::WeightsFile& adapter, const model::WeightsFile& student,
                              const std::string& student_identity);

/// Its values into an engine of that student and of what `read_lora` told. `bad_model`: one is no
/// finite number.
Result<void> load_lora(const model::WeightsFile& adapter, Engine& engine);

}  // namespace lichen::training
