// What libllama takes for granted, checked before it opens a file.
//
// Most of what can be wrong in a file makes libllama return an error, and is left to it. But some
// of it ends the process (GGML_ASSERT, GGML_ABORT), a request's thread or the machine's memory.
// Found in libllama 0.5.0 and refused here:
//   - block_count 0 or above 512; nextn_predict_layers above it
//   - expert counts that contradict each other (llama-model.cpp, load_hparams), or that are 0
//     where the architecture's graph asserts experts
//   - an unknown rope.scaling.type; a pooling_type above 4; a negative or NaN norm epsilon
//   - context_length 0; query heads that the KV heads do not divide (ggml_mul_mat); RoPE over an
//     odd number of dimensions, more than a head has, or sections that are all 0 or missing
//   - key, value and RoPE lengths that differ where the architecture's graph asserts one length
//   - tokens that are the same string (up to a NUL); no token at all; too many
//   - token_type or scores for fewer tokens than there are
//   - a token to be added before or after each prompt (BOS, EOS, SEP) that does not exist
//   - byte tokens in a `bert` vocabulary; in an `rwkv` one a byte that begins tokens but is none
//     itself (an endless loop)
//   - norms and biases that are not f32, frequency factors likewise; matrices of a type that has
//     no kernel (a call through a null pointer)
//   - in adapters: keys of another type than expected; pairs whose ranks do not fit together
//   - split.no of another type than u16 in the parts after the first
// Known and not refused, since usable models may have it: a `llama` vocabulary without all byte
// tokens and a damaged precompiled_charsmap of `t5` make llama_tokenize throw; adapters of mixtures
// of experts whose number of experts is not the model's abort when they are used.
#pragma once

#include <cstdint>
#include <string>

#include "model/gguf/checked.h"
#include "model/gguf/format.h"

namespace lichen::model::gguf {

Checked<void> check_for_libllama(const Header& header, std::uint64_t file_bytes);

/// Its part for the vocabulary and the tokenizer.
Checked<void> check_tokenizer(const Header& header, const std::string& arch,
                              std::uint64_t file_bytes);

}  // namespace lichen::model::gguf
