// `prefill`'s inference: from standardized features two probabilities, that only large is right and
// that only small is, by logistic regressions over them or over one hidden layer that both share.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "lichen/result.h"
#include "mechanisms/routing/router_file.h"

namespace lichen::mechanisms {

/// A value; safe to read from any thread.
struct PrefillModel {
  std::vector<float> mean = {};   // of each feature
  std::vector<float> scale = {};  // 1 / standard deviation; 0: it never varied
  /// Hidden units; 0: none. Each unit's weights of all features and then its bias.
  std::size_t units = 0;
  std::vector<float> inner = {};
  /// Two heads, only large and only small: weights of the units (of the features where there are
  /// none) and then the bias.
  std::vector<float> outer = {};

  std::size_t width() const { return mean.size(); }
  /// As TextRouter::need. `features` are `width` many; where one is no number, neither is this.
  double need(std::span<const float> features) const;
};

/// Checks the tables against the file's shape; `bad_model` says what does not fit.
Result<PrefillModel> make_prefill_model(const RouterFile& file);
void add_prefill_model(RouterFile& file, const PrefillModel& model);

}  // namespace lichen::mechanisms
