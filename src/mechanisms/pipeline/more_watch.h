// Lets an answer through as it is written, unless it is a wish for more findings.
#pragma once

#include <string>

#include "mechanisms/held_back.h"

namespace lichen::mechanisms {

/// Sink of the child turn in which large answers from findings. Holds back what it writes as long
/// as that may become "more: ..."; then passes it on to the turn, or nothing at all.
class MoreWatch : public Sink {
 public:
  explicit MoreWatch(Turn& turn) : held_(turn) {}

  awaitable<bool> write(Piece piece) override;
  /// What is still held back of an answer that has ended and is none of those.
  awaitable<Result<void>> release();
  /// Text has been passed on.
  bool shown() const { return shown_; }

 private:
  HeldBack held_;
  std::string begun_;  // until it is decided
  bool shown_ = false;
};

}  // namespace lichen::mechanisms
