// What a run learns from: the files that it is told of, as examples in the student's tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/distill/train_options.h"
#include "lichen/result.h"
#include "mechanisms/distillation/training/example.h"
#include "mechanisms/distillation/training/loss_options.h"
#include "mechanisms/distillation/training/student_shape.h"

namespace lichen::cli {

struct TrainData {
  std::vector<training::Example> learned = {};
  std::vector<training::Example> held_out = {};
  std::int64_t left_out = 0;  // examples, for their length
  std::string identity = {};  // of all files: another one is another run
};

/// Captures (.safetensors), with their teacher's odds where `loss` compares distributions, and
/// chats. The weight of a file is multiplied into those of its examples, held out or not.
/// `bad_request`: a file is damaged, or has not what `loss` learns from; or all of them are held
/// out.
Result<TrainData> load_train_data(const TrainOptions& options, const training::StudentShape& shape,
                                  training::LossKind loss);

}  // namespace lichen::cli
