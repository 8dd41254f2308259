// Text that may yet be dropped, kept until it is certain that it will not be.
#pragma once

#include <mutex>
#include <vector>

#include "lichen/turn.h"

namespace lichen::mechanisms {

/// Sink of a child turn that answers while it is not decided whether its answer will be used. What
/// is held is bounded by the answer's length. `write` and `release` may run on different threads;
/// until `release` has returned nobody else may use the turn.
class HeldBack : public Sink {
 public:
  explicit HeldBack(Turn& turn) : turn_(turn) {}

  awaitable<bool> write(Piece piece) override;
  /// Passes on to the turn what is held, and from then on each piece as it comes. `cancelled` when
  /// nobody listens any more.
  awaitable<Result<void>> release();

 private:
  Turn& turn_;
  std::mutex mutex_;
  std::vector<Piece> held_;  // guarded by mutex_
  bool released_ = false;    // guarded by mutex_
};

}  // namespace lichen::mechanisms
