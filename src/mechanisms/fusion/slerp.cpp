#include "mechanisms/fusion/slerp.h"

#include <cmath>
#include <cstddef>

namespace lichen::mechanisms {

void Angle::operator+=(const Angle& other) {
  aa += other.aa;
  bb += other.bb;
  ab += other.ab;
}

Angle angle_of(std::span<const float> a, std::span<const float> b) {
  // Eight sums side by side: one vector of them on any machine gives the same digits.
  constexpr std::size_t kLanes = 8;
  double aa[kLanes] = {}, bb[kLanes] = {}, ab[kLanes] = {};
  const std::size_t whole = a.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double x = a[i + lane], y = b[i + lane];
      aa[lane] += x * x;
      bb[lane] += y * y;
      ab[lane] += x * y;
    }
  }
  Angle angle;
  for (std::size_t lane = 0; lane < kLanes; ++lane) angle += {aa[lane], bb[lane], ab[lane]};
  for (std::size_t i = whole; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    angle += {x * x, y * y, x * y};
  }
  return angle;
}

SlerpFactors slerp_factors(const Angle& angle, double t) {
  constexpr double kNearlyParallel = 0.9995;
  const double lengths = std::sqrt(angle.aa) * std::sqrt(angle.bb);
  const double cosine = lengths > 0 ? angle.ab / lengths : 1;
  if (std::abs(cosine) > kNearlyParallel) return {1 - t, t};
  const double theta = std::acos(cosine);
  return {std::sin((1 - t) * theta) / std::sin(theta), std::sin(t * theta) / std::sin(theta)};
}

}  // namespace lichen::mechanisms
