// Root mean square normalization (Zhang and Sennrich, arXiv 1910.07467).
#pragma once

#include <ATen/core/Tensor.h>

namespace lichen::training {

/// x / sqrt(mean(x^2) + epsilon) * weight over the last dimension. Differentiable; with a backward
/// pass of its own, which goes over the data half as often as one made of the parts' would.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon);

}  // namespace lichen::training
