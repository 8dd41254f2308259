// The logistic function and its loss, as the trainers use them.
#pragma once

#include <algorithm>
#include <cmath>

namespace lichen::mechanisms {

inline double logistic(double z) { return 1 / (1 + std::exp(-z)); }

/// -y log p - (1-y) log(1-p) for p = logistic(z), without overflow. Its derivative in z is p - y.
inline double cross_entropy(double z, double y) {
  return std::log1p(std::exp(-std::abs(z))) + std::max(z, 0.0) - y * z;
}

}  // namespace lichen::mechanisms
