// How long a plan was at work, when its requests overlap and pauses do not count.
#pragma once

#include "lichen/turn.h"

namespace lichen::eval {

/// Runs while at least one request is in progress. One thread at a time.
class BusyClock {
 public:
  void enter(Clock::time_point now) {
    if (in_progress_++ == 0) since_ = now;
  }
  void leave(Clock::time_point now) {
    if (--in_progress_ == 0) busy_ += now - since_;
  }
  /// Milliseconds since the last call, or since the beginning.
  double take(Clock::time_point now) {
    auto busy = busy_;
    if (in_progress_ > 0) {
      busy += now - since_;
      since_ = now;
    }
    busy_ = {};
    return std::chrono::duration<double, std::milli>(busy).count();
  }

 private:
  int in_progress_ = 0;
  Clock::time_point since_ = {};
  Clock::duration busy_ = {};
};

}  // namespace lichen::eval
