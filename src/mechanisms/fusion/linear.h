// The weighted mean of models (model soups: Wortsman et al., arXiv 2203.05482), and its parts that
// other methods use. Pure functions; all spans of a call have one length.
#pragma once

#include <span>

namespace lichen::mechanisms {

/// Adds up `weights[i]` * `models[i]`, as sum of weights * first + weights[i] * (models[i] -
/// first): where all models agree and the weights' sum is 1, that is exactly what they agree on.
void weighted_sum(std::span<const float* const> models, std::span<const double> weights,
                  std::span<float> out);

/// The largest magnitude; infinite or NaN when there is such a value.
float largest_magnitude(std::span<const float> values);

}  // namespace lichen::mechanisms
