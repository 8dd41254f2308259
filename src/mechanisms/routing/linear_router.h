// `linear`: two logistic regressions over hashed n-grams and the surface's numbers. One predicts
// that only large is right, the other that only small is: a router that knows only the first sends
// requests to large that large gets wrong.
#pragma once

#include <memory>

#include "mechanisms/routing/text_router.h"

namespace lichen::mechanisms {

/// A file's tables: `weights` (one for each dimension) and `bias` of
/// either head.
Result<std::unique_ptr<VectorRouter>> make_linear_router(const RouterFile& file);

struct LinearHead {
  std::vector<float> weights;
  float bias = 0;

  double probability(const SparseVector& vector) const;
};

struct LinearModel {
  LinearHead only_large;
  LinearHead only_small;

  double need(const SparseVector& vector) const;
};

}  // namespace lichen::mechanisms
