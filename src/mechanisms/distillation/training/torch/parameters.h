// The weights of a student, and which of them are trained.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/distillation/training/training_method.h"

namespace lichen::training {

/// What the optimizer moves. Its value is kept in float, whatever the network computes in.
struct Parameter {
  std::string name;
  at::Tensor value;          // float
  at::Tensor working;        // what the network computes with: `value` itself, or its image in BF16
  at::Tensor gradient;       // float, of the step so far
  at::Tensor first, second;  // Adam's moments
  bool decays = false;       // matrices do, norms and biases do not
};

/// A matrix of the network, [out, in]; with an adapter, W + scale * B A.
struct Matrix {
  at::Tensor weight;
  at::Tensor bias;  // undefined: none
  at::Tensor a, b;  // [rank, in] and [out, rank]; undefined: no adapter
  double scale = 1;

  /// Of rows, [n, in].
  at::Tensor times(const at::Tensor& rows) const;
};

class Parameters {
 public:
  explicit Parameters(const TrainingMethod& method) : method_(method) {}

  /// A tensor of the student, by its GGUF's name; its dimensions are GGUF's in reverse order.
  void add(const std::string& name, const std::vector<std::int64_t>& shape, const float* values);
  /// Makes the adapters; nothing is added afterwards.
  void finish();

  bool has(const std::string& name) const { return tensors_.count(name) > 0; }
  at::Tensor tensor(const std::string& name) const { return tensors_.at(name); }
  /// "blk.0.attn_q" with its bias and adapter.
  Matrix matrix(const std::string& name) const;

  std::vector<Parameter>& trained() { return trained_; }
  const std::vector<Parameter>& trained() const { return trained_; }
  /// Moves what the last backward pass left into `gradient`.
  void collect_gradients();
  /// The network's images follow the values.
  void refresh();

 private:
  at::Tensor train(const std::string& name, const at::Tensor& value);

  const TrainingMethod method_;
  std::map<std::string, at::Tensor> tensors_;  // as the network computes with them
  std::map<std::string, std::pair<at::Tensor, at::Tensor>> adapters_;
  std::vector<Parameter> trained_;
};

}  // namespace lichen::training
