// Stops a draft as soon as it is certain that it will not stand: where an answer is as sure as its
// least sure token, further tokens can only lower that.
#pragma once

#include <cstdint>
#include <optional>

#include "lichen/turn.h"
#include "mechanisms/routing/confidence.h"

namespace lichen::mechanisms {

/// Sink of the draft's turn. Whoever writes is told that nobody listens at the first token under
/// the threshold, so the draft fails with `cancelled`, and its receipt has what it cost until then.
/// Tokens that are not shown as text, as before tool calls, are not looked at.
class EarlyStop : public Sink {
 public:
  EarlyStop(OfToken of_token, double threshold) : of_token_(of_token), threshold_(threshold) {}

  awaitable<bool> write(Piece piece) override;

  /// The value under the threshold (NaN is), if there was one: once the draft has ended.
  const std::optional<double>& value() const { return value_; }

 private:
  const OfToken of_token_;
  const double threshold_;
  std::optional<double> value_;
};

}  // namespace lichen::mechanisms
