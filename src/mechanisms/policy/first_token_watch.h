// Watches one alternative of a fallback: whether it has begun to write, and that it does in time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

/// Lets an alternative answer on a child of `turn` whose text passes on to `turn` unchanged. Either
/// its first piece comes in time, or it is stopped and no piece of it passes: never both.
class FirstTokenWatch : public Sink {
 public:
  /// What has reached the stream.
  struct Shown {
    std::string text = {};
    std::vector<AnswerToken> tokens = {};  // those with log-probabilities
    std::vector<Stretch> authors = {};
  };
  struct Outcome {
    Result<Answer> answer;
    Shown shown = {};
  };

  explicit FirstTokenWatch(Turn& turn) : turn_(turn) {}

  /// Adds the alternative's steps to the turn's receipt, those of one that failed before it showed
  /// anything with the role "failed". A `timeout` of 0 is none.
  awaitable<Outcome> answer(AnswererPtr alternative, Request request,
                            std::chrono::milliseconds timeout);

  awaitable<bool> write(Piece piece) override;

 private:
  enum class Phase : std::uint8_t { waiting, writing, expired };

  Turn& turn_;
  /// Shared with the timer's handler, which may outlast the watch.
  std::shared_ptr<std::atomic<Phase>> phase_ = std::make_shared<std::atomic<Phase>>(Phase::waiting);
  Shown shown_;
};

}  // namespace lichen::mechanisms
