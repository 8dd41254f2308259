// How fast a student learns over a run.
#pragma once

#include <cstdint>

namespace lichen::training {

/// Linear warm-up, then a half cosine down to `final_share` of the rate (Loshchilov and Hutter,
/// arXiv 1608.03983).
struct Schedule {
  double learning_rate = 1e-4;
  double final_share = 0.1;
  double warmup = 0.05;  // share of the run

  /// `progress`: the share of the run that is done, 0 to 1.
  double rate(double progress) const;
};

}  // namespace lichen::training
