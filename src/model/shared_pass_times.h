// How long a model takes over passes that several sequences share.
#pragma once

#include <array>

namespace lichen::model {

/// A pass of R sequences with k tokens each takes c + b R + a R k milliseconds: what a pass costs
/// by itself, what each of its sequences does (its attention is a product of its own), what each
/// token does. With the bundled large model on two cores that fits within a tenth, at 1 to 8
/// sequences and 1 to 16 tokens, c = 0.4, b = 0.34, a = 0.25.
///
/// The three follow what passes take (a Kalman filter of three states that wander). On one thread.
class SharedPassTimes {
 public:
  /// `one`, `token`: milliseconds of a pass over one token of one sequence, and what each further
  /// one adds.
  SharedPassTimes(double one, double token);

  double ms(double sequences, double tokens_each) const;
  void took(double sequences, double tokens_each, double ms);

 private:
  using Vector = std::array<double, 3>;

  Vector costs_;                      // c, b, a
  Vector doubt_;                      // of each at first, squared: more than this is never in doubt
  std::array<Vector, 3> covariance_;  // of the estimates
};

}  // namespace lichen::model
