#include "mechanisms/routing/lbfgs.h"

#include <cmath>
#include <deque>
#include <numeric>

namespace lichen::mechanisms {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void add_scaled(Vector& to, double scale, const Vector& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += scale * from[i];
}

/// A step and how the gradient changed over it.
struct Pair {
  Vector step;
  Vector change;
  double inverse_curvature = 0;
};

/// The direction of descent: minus the approximate inverse Hessian times the gradient.
Vector direction(const std::deque<Pair>& pairs, const Vector& gradient) {
  Vector q = gradient;
  Vector alphas(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    alphas[i] = pairs[i].inverse_curvature * dot(pairs[i].step, q);
    add_scaled(q, -alphas[i], pairs[i].change);
  }
  if (!pairs.empty()) {
    const Pair& last = pairs.back();
    const double scale = 1 / (last.inverse_curvature * dot(last.change, last.change));
    for (double& value : q) value *= scale;
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double beta = pairs[i].inverse_curvature * dot(pairs[i].change, q);
    add_scaled(q, alphas[i] - beta, pairs[i].step);
  }
  for (double& value : q) value = -value;
  return q;
}

}  // namespace

std::vector<double> minimize(const Objective& objective, std::vector<double> x,
                             const LbfgsOptions& options) {
  constexpr double kSufficientDecrease = 1e-4;
  constexpr int kMaxHalvings = 30;
  Vector gradient(x.size()), next_gradient(x.size());
  double value = objective(x, gradient);
  const double first_norm = std::sqrt(dot(gradient, gradient));
  std::deque<Pair> pairs;
  for (int i = 0; i < options.iterations && !options.stop.stop_requested(); ++i) {
    const double norm = std::sqrt(dot(gradient, gradient));
    if (norm <= options.tolerance * first_norm) break;
    const Vector towards = direction(pairs, gradient);
    const double slope = dot(towards, gradient);
    if (!(slope < 0)) break;
    double length = pairs.empty() ? 1 / norm : 1;
    Vector next;
    double next_value = value;
    int halvings = 0;
    for (; halvings < kMaxHalvings; ++halvings, length /= 2) {
      next = x;
      add_scaled(next, length, towards);
      next_value = objective(next, next_gradient);
      if (next_value <= value + kSufficientDecrease * length * slope) break;
    }
    if (halvings == kMaxHalvings) break;  // as good as doubles allow
    Pair pair{.step = next, .change = next_gradient};
    add_scaled(pair.step, -1, x);
    add_scaled(pair.change, -1, gradient);
    const double curvature = dot(pair.step, pair.change);
    x = std::move(next);
    gradient.swap(next_gradient);
    value = next_value;
    if (curvature <= 1e-12) continue;
    pair.inverse_curvature = 1 / curvature;
    pairs.push_back(std::move(pair));
    if (pairs.size() > static_cast<std::size_t>(options.memory)) pairs.pop_front();
  }
  return x;
}

}  // namespace lichen::mechanisms
