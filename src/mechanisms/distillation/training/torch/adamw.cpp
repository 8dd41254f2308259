#include "mechanisms/distillation/training/torch/adamw.h"

#include <ATen/ATen.h>

#include <cmath>

namespace lichen::training {

double gradient_norm(const std::vector<Parameter>& parameters) {
  double squares = 0;
  for (const Parameter& parameter : parameters) {
    const double norm = parameter.gradient.norm().item<double>();
    squares += norm * norm;
  }
  return std::sqrt(squares);
}

void adamw_step(std::vector<Parameter>& parameters, const AdamWOptions& options,
                double learning_rate, double gradient_scale, std::int64_t step) {
  const auto times = static_cast<double>(step);
  const double rate = learning_rate / (1 - std::pow(options.beta1, times));
  const double second_bias = std::sqrt(1 - std::pow(options.beta2, times));
  for (Parameter& parameter : parameters) {
    at::Tensor value = parameter.value.detach();
    at::Tensor& gradient = parameter.gradient;
    if (gradient_scale != 1) gradient.mul_(gradient_scale);
    parameter.first.lerp_(gradient, 1 - options.beta1);
    parameter.second.mul_(options.beta2).addcmul_(gradient, gradient, 1 - options.beta2);
    if (parameter.decays) value.mul_(1 - learning_rate * options.weight_decay);
    value.addcdiv_(parameter.first, parameter.second.sqrt().div_(second_bias).add_(options.epsilon),
                   -rate);
    gradient.zero_();
  }
}

}  // namespace lichen::training
