// How long a model takes over passes of several sizes on this machine.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "model/shared_pass_times.h"

namespace lichen::model {

/// Measured when the model was loaded.
struct StepTimes {
  struct Pass {
    int tokens;   // of one sequence
    double ms;    // the best of some tries
    int threads;  // that were fastest
  };
  std::vector<Pass> passes = {};
};

/// Begins with what was measured and is corrected by each pass: what all sizes have in common, such
/// as a busy machine, quickly enough to follow it, what is one size's own more slowly. On one
/// thread.
class PassTimes {
 public:
  explicit PassTimes(const StepTimes& measured);

  /// Without a measurement all passes take as long: 1.
  bool known() const { return !knots_.empty(); }
  /// Milliseconds for a pass of that many tokens, one at least, of one sequence.
  double ms(double tokens) const;
  /// The same of several sequences with that many tokens each.
  double ms(double sequences, double tokens_each) const;
  /// A pass has taken `ms`.
  void took(int sequences, int tokens_each, double ms);

 private:
  struct Knot {  // straight lines between these
    double tokens;
    double ms;
  };
  /// The line that `tokens` lies on: its first knot, and how far towards the second.
  struct Place {
    std::size_t knot;
    double share;
  };
  Place place(double tokens) const;
  void took(int tokens, double ms);

  std::vector<Knot> knots_;                // of one sequence
  std::optional<SharedPassTimes> shared_;  // of several
};

}  // namespace lichen::model
