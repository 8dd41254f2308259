// AdamW (Loshchilov and Hutter, arXiv 1711.05101): Adam whose weight decay is no part of the
// gradient.
#pragma once

#include <cstdint>
#include <vector>

#include "mechanisms/distillation/training/adamw_options.h"
#include "mechanisms/distillation/training/torch/parameters.h"

namespace lichen::training {

/// The norm of all gradients as one vector.
double gradient_norm(const std::vector<Parameter>& parameters);

/// Moves every parameter by its gradient, which is 0 afterwards. `step` counts from 1;
/// `gradient_scale` is for clipping.
void adamw_step(std::vector<Parameter>& parameters, const AdamWOptions& options,
                double learning_rate, double gradient_scale, std::int64_t step);

}  // namespace lichen::training
