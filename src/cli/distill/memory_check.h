// Whether a run fits into memory, before it begins.
#pragma once

#include <cstdint>
#include <span>

#include "lichen/result.h"
#include "mechanisms/distillation/training/example.h"
#include "mechanisms/distillation/training/memory_need.h"
#include "mechanisms/distillation/training/trainer.h"

namespace lichen::cli {

/// What a run is made of. Of its batches the first epoch's are looked at, 256 at most.
training::RunSize run_size(std::span<const training::Example> learned, bool keeps_best,
                           const training::TrainerOptions& trainer);

/// `overloaded` with what would help where the run will not fit; `available`: bytes, 0: not known.
Result<void> check_memory(const training::MemoryNeed& need, bool full, std::uint64_t available);

}  // namespace lichen::cli
