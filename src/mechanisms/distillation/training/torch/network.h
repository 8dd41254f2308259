// A student's forward pass. Weights are as a GGUF has them, so nothing is permuted on the way in or
// out, and what it computes is what libllama computes with the same file.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "mechanisms/distillation/training/student_shape.h"
#include "mechanisms/distillation/training/torch/parameters.h"

namespace lichen::training {

class Network {
 public:
  /// `parameters` must be finished.
  Network(StudentShape shape, const Parameters& parameters);

  /// Logits of the chosen tokens, [n, vocabulary], float. `tokens`: [sequences, length] int64, each
  /// sequence from its beginning and padded at its end with any token; `rows`: [n] int64, places in
  /// the flattened `tokens`. Padding is behind all that counts, so the causal mask hides it.
  at::Tensor logits(const at::Tensor& tokens, const at::Tensor& rows);

 private:
  struct Layer {
    at::Tensor attention_norm, feed_forward_norm;
    at::Tensor query_norm, key_norm;                         // undefined: none
    at::Tensor attention_post_norm, feed_forward_post_norm;  // likewise
    Matrix query, key, value, output, gate, up, down;
    bool local = false;
  };
  /// What depends on the length of the sequences alone.
  struct Positions {
    at::Tensor cosines, sines;  // [length, 1, rotated / 2]
    at::Tensor mask;            // [length, length]: 0 or -infinity
  };

  Layer layer(const Parameters& parameters, std::int64_t index) const;
  Positions positions(std::int64_t length, bool local) const;
  at::Tensor attention(const Layer& layer, const at::Tensor& states, std::int64_t sequences,
                       const Positions& positions) const;
  at::Tensor feed_forward(const Layer& layer, const at::Tensor& states) const;
  at::Tensor rotated(const at::Tensor& heads, const Positions& positions) const;
  at::Tensor normed(const at::Tensor& states, const at::Tensor& weight) const;

  const StudentShape shape_;
  at::Tensor embedding_, output_norm_;
  Matrix output_;
  std::vector<Layer> layers_;
};

}  // namespace lichen::training
