#include "model/shared_pass_times.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace lichen::model {
namespace {

constexpr double kDoubt = 0.5;    // of each cost at first, as a part of it
constexpr double kLeast = 0.05;   // the same as a part of a whole pass
constexpr double kWander = 0.02;  // from one pass to the next, as a part of `kDoubt`'s
constexpr double kNoise = 0.2;    // of a pass, as a part of it
/// A pass counts as no more than so many times slower or faster than expected: it may have been
/// interrupted.
constexpr double kMostOff = 1.3;

double square(double x) { return x * x; }

}  // namespace

SharedPassTimes::SharedPassTimes(double one, double token) {
  const double rest = std::max(0.0, one - token) / 2;
  costs_ = {rest, rest, token};
  covariance_ = {};
  for (std::size_t i = 0; i < costs_.size(); ++i) {
    doubt_[i] = square(std::max(kDoubt * costs_[i], kLeast * one));
    covariance_[i][i] = doubt_[i];
  }
}

double SharedPassTimes::ms(double sequences, double tokens_each) const {
  return costs_[0] + sequences * (costs_[1] + tokens_each * costs_[2]);
}

void SharedPassTimes::took(double sequences, double tokens_each, double took) {
  const double expected = ms(sequences, tokens_each);
  if (!(took > 0) || !(expected > 0)) return;
  const double off = std::clamp(took, expected / kMostOff, expected * kMostOff) - expected;
  const Vector pass = {1, sequences, sequences * tokens_each};

  Vector of_pass = {};  // covariance of each cost with the pass
  for (std::size_t i = 0; i < pass.size(); ++i) {
    covariance_[i][i] = std::min(covariance_[i][i] + square(kWander) * doubt_[i], doubt_[i]);
  }
  for (std::size_t i = 0; i < pass.size(); ++i) {
    of_pass[i] = std::inner_product(pass.begin(), pass.end(), covariance_[i].begin(), 0.0);
  }
  const double variance =
      std::inner_product(pass.begin(), pass.end(), of_pass.begin(), square(kNoise * expected));
  for (std::size_t i = 0; i < pass.size(); ++i) {
    costs_[i] = std::max(0.0, costs_[i] + of_pass[i] / variance * off);
    for (std::size_t j = 0; j < pass.size(); ++j) {
      covariance_[i][j] -= of_pass[i] * of_pass[j] / variance;
    }
  }
}

}  // namespace lichen::model
