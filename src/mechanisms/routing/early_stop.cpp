#include "mechanisms/routing/early_stop.h"

namespace lichen::mechanisms {

awaitable<bool> EarlyStop::write(Piece piece) {
  for (const AnswerToken& token : piece.logprobs) {
    const double value = of_token_(token);
    if (value >= threshold_) continue;  // not so for NaN
    value_ = value;
    break;
  }
  co_return !value_;
}

}  // namespace lichen::mechanisms
