#include "mechanisms/fusion/task_vector.h"

#include <algorithm>
#include <cstddef>

namespace lichen::mechanisms {

void subtract(std::span<float> model, std::span<const float> base) {
  float* const values = model.data();
  const float* const others = base.data();
  for (std::size_t i = 0; i < model.size(); ++i) values[i] -= others[i];
}

void add_task_vectors(std::span<const float> base, std::span<const float* const> deltas,
                      std::span<const double> weights, double lambda, std::span<float> out) {
  std::ranges::fill(out, 0.0F);
  float* const sum = out.data();
  for (std::size_t m = 0; m < deltas.size(); ++m) {
    const float* delta = deltas[m];
    const auto weight = static_cast<float>(lambda * weights[m]);
    for (std::size_t i = 0; i < out.size(); ++i) sum[i] += weight * delta[i];
  }
  const float* const from = base.data();
  for (std::size_t i = 0; i < out.size(); ++i) sum[i] += from[i];
}

}  // namespace lichen::mechanisms
