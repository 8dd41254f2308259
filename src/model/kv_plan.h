// How the memory for a model's KV cache is laid out, and how attention goes over it.
#pragma once

#include <cstdint>

#include "lichen/result.h"
#include "model/local_model.h"

namespace lichen::model {

/// What the plan depends on of a model.
struct KvModel {
  int train_length = 0;          // tokens
  std::int64_t key_bytes = 0;    // of one token in the cache, all layers, in F16
  std::int64_t value_bytes = 0;  // likewise
  std::int64_t weights = 0;      // bytes of the tensors
  int heads = 1;                 // of a layer's attention
  int head_width = 64;           // of a key
  bool on_gpu = false;           // a GPU computes attention
};

struct KvPlan {
  bool split = false;
  bool plain = false;     // attention by products of matrices, else flash attention
  bool f32_keys = false;  // else F16, as values always
  int sequences = 0;      // at once
  int cells = 0;          // of all of them together
  std::int64_t cell_bytes = 0;
};

/// Attention over a pool of cells that all sequences share looks at the cells of all of them; with
/// split cells at those of its own only, but then each sequence takes the memory of the longest. So
/// they are split where the memory allows enough sequences of full length at once.
///
/// On a CPU, split cells are gone over by plain attention: ggml's flash attention takes each token
/// of a short pass by itself there, which makes a pass over one token up to three times as dear,
/// and over eight five times (docs/engine.md). Keys in F32 where the memory allows, since products
/// with F16 are slow for single tokens. Not for narrow heads, whose products are too small to be
/// fast, and not where the scores of a pass would take too much memory.
///
/// The cache may have as many bytes as the weights where the options do not say.
/// Errors: `bad_config` when one sequence of the wanted length exceeds the memory given.
Result<KvPlan> plan_kv(const LocalModelOptions& options, const KvModel& model);

}  // namespace lichen::model
