// Task vectors: what fine-tuning has added to a base (task arithmetic: Ilharco et al., arXiv
// 2212.04089). Pure functions; all spans of a call have one length.
#pragma once

#include <span>

namespace lichen::mechanisms {

/// Makes a task vector of a model's values.
void subtract(std::span<float> model, std::span<const float> base);

/// out = base + lambda * (weights[0] * deltas[0] + ...). Without a difference, exactly the base.
void add_task_vectors(std::span<const float> base, std::span<const float* const> deltas,
                      std::span<const double> weights, double lambda, std::span<float> out);

}  // namespace lichen::mechanisms
