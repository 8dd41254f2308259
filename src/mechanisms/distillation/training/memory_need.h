// How much memory a run will take, before it begins.
#pragma once

#include <cstdint>

#include "mechanisms/distillation/training/student_shape.h"
#include "mechanisms/distillation/training/training_method.h"

namespace lichen::training {

struct MemoryNeed {
  std::uint64_t weights = 0;      // of the student, as the network computes with them
  std::uint64_t optimizer = 0;    // values, gradients, moments, the best weights
  std::uint64_t activations = 0;  // of one batch, forward and backward

  std::uint64_t total() const { return weights + optimizer + activations; }
};

/// What a run is made of.
struct RunSize {
  std::int64_t parameters = 0;    // of the student
  std::int64_t trained = 0;       // of these and the adapter's, those that are trained
  std::int64_t batch_tokens = 0;  // with padding
  std::int64_t longest = 0;       // tokens of the longest example
  std::int64_t supervised = 0;    // tokens of a batch that have a loss, at most
  bool keeps_best = false;
};

/// An estimate that is rather too high than too low.
MemoryNeed memory_need(const StudentShape& shape, const TrainingMethod& method,
                       const RunSize& size);

/// Elements of the adapter that `method` gives a student.
std::int64_t adapter_elements(const StudentShape& shape, const LoraOptions& lora);

/// What the machine can give now: MemAvailable, and what a container's limit leaves. 0: not known.
std::uint64_t memory_available();

}  // namespace lichen::training
