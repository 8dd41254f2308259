// The steps of many prompts as a few lines of a receipt.
#pragma once

#include <string_view>
#include <vector>

#include "lichen/turn.h"

namespace lichen::mechanisms {

/// Adds up steps by model and role. They run side by side and share passes, so their times are no
/// sum: queue, prefill and decode share the time in which any was in progress.
class StepSums {
 public:
  /// Around each prompt.
  void begin();
  void end();
  /// The steps of its turn; those that answered have served `role`. What it left for later becomes
  /// the turn's own; what a plan decided on each of many chunks is not kept.
  void add(const Turn& child, std::string_view role, Turn& turn);
  /// Puts the sums into the receipt.
  void settle(Turn& turn);

 private:
  std::vector<Step> steps_;
  int in_progress_ = 0;
  Clock::time_point since_ = {};
  double busy_ms_ = 0;
};

}  // namespace lichen::mechanisms
