// Spherical linear interpolation of two tensors, each taken as one vector (Shoemake, "Animating
// rotation with quaternion curves", SIGGRAPH 1985).
#pragma once

#include <span>

namespace lichen::mechanisms {

/// What the angle between two vectors is made of. Parts of a tensor are added up in a fixed order,
/// so that the sums don't depend on who computed them.
struct Angle {
  double aa = 0, bb = 0, ab = 0;  // scalar products

  void operator+=(const Angle& other);
};

Angle angle_of(std::span<const float> a, std::span<const float> b);

/// out = a * factor.a + b * factor.b, sin((1 - t) theta) / sin(theta) and sin(t theta) /
/// sin(theta).
struct SlerpFactors {
  double a = 1, b = 0;
};

/// `t` from 0 (all a) to 1 (all b). Where the vectors are nearly parallel (|cos| > 0.9995) or one
/// of them is 0, the straight line is taken: 1 - t and t.
SlerpFactors slerp_factors(const Angle& angle, double t);

}  // namespace lichen::mechanisms
