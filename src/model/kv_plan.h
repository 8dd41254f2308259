// How the memory for a model's KV cache is laid out.
#pragma once

#include <cstdint>

#include "lichen/result.h"
#include "model/local_model.h"

namespace lichen::model {

struct KvPlan {
  bool split = false;
  int sequences = 0;  // at once
  int cells = 0;      // of all of them together
};

/// Attention over a pool of cells that all sequences share looks at the cells of all of them; with
/// split cells at those of its own only, but then each sequence takes the memory of the longest. So
/// they are split where the memory allows enough sequences of full length at once.
///
/// `train_length`: tokens, of the model; `cell_bytes`: of one token in the cache; `weights`: bytes
/// of the model's tensors, as much as which the cache may have where the options do not say.
/// Errors: `bad_config` when one sequence of the wanted length exceeds the memory given.
Result<KvPlan> plan_kv(const LocalModelOptions& options, int train_length, std::int64_t cell_bytes,
                       std::int64_t weights);

}  // namespace lichen::model
