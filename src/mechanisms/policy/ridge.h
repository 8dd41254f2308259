// Ridge regression of a reward on a prompt's sketch, one observation at a time: what LinUCB knows
// of one arm (Li, Chu, Langford, Schapire 2010, arXiv 1003.0146, algorithm 1).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "lichen/result.h"
#include "mechanisms/policy/prompt_sketch.h"

namespace lichen::mechanisms {

struct Estimate {
  double mean = 0;
  /// Of the mean, in units of the rewards' deviation: sqrt(x' A^-1 x).
  double width = 0;
};

/// A value; not for several threads at once. Each call takes kSketchSize^2 steps.
class Ridge {
 public:
  /// `prior`: the reward that is expected before any was seen.
  explicit Ridge(double prior);

  Estimate estimate(const Sketch& x) const;
  void learn(const Sketch& x, double reward);
  /// An observation that was learned turns out to have had another reward.
  void revise(const Sketch& x, double from, double to);
  std::int64_t observations() const { return observations_; }

  /// All that it knows but the prior, and the way back. `bad_model` for numbers that no
  /// observations can lead to.
  std::vector<double> numbers() const;
  Result<void> restore(std::span<const double> numbers);

 private:
  using Vector = std::array<double, kSketchSize>;
  Vector times_inverse(const auto& x) const;

  double prior_;
  std::int64_t observations_ = 0;
  std::vector<double> inverse_;  // of A = I + sum of x x', by rows; symmetric
  Vector sum_{};                 // of x (reward - prior)
  Vector weights_{};             // A^-1 sum
};

}  // namespace lichen::mechanisms
