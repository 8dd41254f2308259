// What of a student is trained, and in which numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lichen::training {

struct LoraOptions {
  int rank = 8;
  double alpha = 16;  // the adapter's product is multiplied by alpha / rank
  /// Matrices of every layer, by the middle of their names in a GGUF.
  std::vector<std::string> targets = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                      "ffn_gate", "ffn_up", "ffn_down"};

  bool operator==(const LoraOptions& other) const {
    return rank == other.rank && alpha == other.alpha && targets == other.targets;
  }
};

struct TrainingMethod {
  bool full = false;  // all weights; else a LoRA adapter (Hu et al., arXiv 2106.09685)
  LoraOptions lora = {};
  /// Weights and activations in BF16; the optimizer's values, moments and gradients stay in float.
  bool bf16 = false;
  std::uint64_t seed = 1;  // of the adapter's start
};

}  // namespace lichen::training
