// Limited-memory BFGS (Nocedal, Wright 2006, algorithm 7.5) with backtracking line search: finds
// the minimum of a smooth convex function of many variables. Deterministic.
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

namespace lichen::mechanisms {

/// Returns the value at `x` and writes the gradient, which has x's size.
using Objective =
    std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>;

struct LbfgsOptions {
  int memory = 8;             // pairs of steps that approximate the curvature
  int iterations = 100;       // at most
  double tolerance = 1e-4;    // done when the gradient's norm falls under this share of the first's
  std::stop_token stop = {};  // checked before each iteration
};

/// The best point found from `x` on.
std::vector<double> minimize(const Objective& objective, std::vector<double> x,
                             const LbfgsOptions& options = {});

}  // namespace lichen::mechanisms
