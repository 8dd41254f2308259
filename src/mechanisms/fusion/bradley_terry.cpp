#include "mechanisms/fusion/bradley_terry.h"

#include <algorithm>
#include <cmath>

namespace lichen::mechanisms {

/// The MM algorithm of Hunter 2004 (Annals of Statistics 32: 384-406, equation 3), whose every step
/// makes the wins likelier: a candidate's wins divided by how many it would have won per unit of
/// its strength. The one of strength 1 that all have met is fixed, so no scale has to be chosen.
std::vector<double> bradley_terry(const Wins& wins, double prior) {
  constexpr int kMostSteps = 10'000;
  constexpr double kEnough = 1e-10;  // relative change in a step
  const std::size_t n = wins.candidates();
  std::vector<double> strengths(n, 1.0);
  double change = 1;
  for (int step = 0; step < kMostSteps && change > kEnough; ++step) {
    change = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double won = prior;
      double met = 2 * prior / (strengths[i] + 1);
      for (std::size_t j = 0; j < n; ++j) {
        if (j == i) continue;
        won += wins.of(i, j);
        met += (wins.of(i, j) + wins.of(j, i)) / (strengths[i] + strengths[j]);
      }
      if (!(met > 0)) continue;  // has met nobody
      const double strength = won / met;
      change = std::max(change, std::abs(strength - strengths[i]) / strengths[i]);
      strengths[i] = strength;
    }
  }
  return strengths;
}

}  // namespace lichen::mechanisms
