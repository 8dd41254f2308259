// What a student computes with its weights: the hyperparameters of its architecture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lichen::training {

/// Transformers with RMS norms, rotary positions and gated feed-forward layers. Lengths are in
/// elements. `student_file.h` reads it from a GGUF.
struct StudentShape {
  std::string architecture;
  std::int64_t layers = 0;
  std::int64_t width = 0;  // of a token's state
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head = 0;  // length of a query, key or value
  std::int64_t feed_forward = 0;
  std::int64_t vocabulary = 0;
  std::int64_t context = 0;  // tokens that it was trained for
  double norm_epsilon = 1e-6;

  // Rotary positions
  std::int64_t rotated = 0;  // the first so many of a head
  bool interleaved = false;  // pairs are neighbours (llama), or one is in each half (the others)
  double rope_base = 10'000;
  double rope_scale = 1;                 // positions are multiplied by it
  std::vector<float> rope_factors = {};  // wavelengths are, [rotated / 2]; empty: 1

  double query_scale = 1;
  double embedding_scale = 1;
  bool gelu = false;         // or SiLU
  double attention_cap = 0;  // scores become cap * tanh(score / cap); 0: they stay
  double logit_cap = 0;

  // Layers that look at the last `window` tokens only
  std::int64_t window = 0;
  double local_rope_base = 10'000;
  double local_rope_scale = 1;
  std::vector<bool> local = {};  // of each layer; empty: none is
};

}  // namespace lichen::training
