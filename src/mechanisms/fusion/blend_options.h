// What both forms of `blend` share.
#pragma once

#include <optional>
#include <vector>

#include "mechanisms/fusion/blend_rule.h"

namespace lichen::mechanisms {

struct BlendOptions {
  BlendRule rule = BlendRule::mean;
  std::vector<double> weights = {};  // of each model, 1 in sum
  bool by_confidence = false;        // times each model's confidence at the step (blend_weights)
  std::optional<double> gate = {};   // nats of entropy over which the others are asked
  int top = 20;                      // pieces that each model proposes, where vocabularies differ
};

}  // namespace lichen::mechanisms
