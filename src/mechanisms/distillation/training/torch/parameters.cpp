#include "mechanisms/distillation/training/torch/parameters.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

namespace lichen::training {

at::Tensor Matrix::times(const at::Tensor& rows) const {
  at::Tensor out = at::linear(rows, weight, bias);
  if (!a.defined()) return out;
  return at::add(out, at::linear(at::linear(rows, a), b), scale);
}

void Parameters::add(const std::string& name, const std::vector<std::int64_t>& shape,
                     const float* values) {
  const at::Tensor given = at::from_blob(const_cast<float*>(values), shape, at::kFloat);
  if (method_.full) {
    tensors_[name] = train(name, given.clone());
  } else {
    tensors_[name] = method_.bf16 ? given.to(at::kBFloat16) : given.clone();
  }
}

at::Tensor Parameters::train(const std::string& name, const at::Tensor& value) {
  Parameter parameter;
  parameter.name = name;
  parameter.value = value;
  parameter.working = method_.bf16 ? value.to(at::kBFloat16) : value;
  parameter.working.requires_grad_(true);
  parameter.gradient = at::zeros_like(value);
  parameter.first = at::zeros_like(value);
  parameter.second = at::zeros_like(value);
  parameter.decays = value.dim() > 1;
  trained_.push_back(parameter);
  return parameter.working;
}

void Parameters::finish() {
  if (method_.full) return;
  // In the order of names, so that the same seed makes the same adapter.
  for (const auto& [name, weight] : tensors_) {
    if (weight.dim() != 2 || name.rfind("blk.", 0) != 0) continue;
    const std::size_t from = name.find('.', 4) + 1;
    const std::string middle = name.substr(from, name.rfind('.') - from);
    const auto& targets = method_.lora.targets;
    if (std::find(targets.begin(), targets.end(), middle) == targets.end()) continue;
    auto generator = at::detail::createCPUGenerator(method_.seed + trained_.size());
    const std::int64_t in = weight.size(1), out = weight.size(0), rank = method_.lora.rank;
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    const at::Tensor a = at::empty({rank, in}, at::kFloat).uniform_(-bound, bound, generator);
    adapters_[name] = {train(name + ".lora_a", a),
                       train(name + ".lora_b", at::zeros({out, rank}, at::kFloat))};
  }
}

Matrix Parameters::matrix(const std::string& name) const {
  Matrix matrix;
  matrix.weight = tensor(name + ".weight");
  if (has(name + ".bias")) matrix.bias = tensor(name + ".bias");
  const auto adapter = adapters_.find(name + ".weight");
  if (adapter != adapters_.end()) {
    matrix.a = adapter->second.first;
    matrix.b = adapter->second.second;
    matrix.scale = method_.lora.alpha / method_.lora.rank;
  }
  return matrix;
}

void Parameters::collect_gradients() {
  for (Parameter& parameter : trained_) {
    at::Tensor& fresh = parameter.working.mutable_grad();
    if (!fresh.defined()) continue;  // of no use in this batch
    parameter.gradient.add_(fresh);
    fresh.zero_();
  }
}

void Parameters::refresh() {
  if (!method_.bf16) return;
  for (Parameter& parameter : trained_) parameter.working.detach().copy_(parameter.value);
}

}  // namespace lichen::training
