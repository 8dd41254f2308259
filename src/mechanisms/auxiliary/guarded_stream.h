// An answer on its way out that is screened while it is written.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lichen/turn.h"

namespace lichen::mechanisms {

/// Sink of a child turn. What the writer thinks aloud is shown, and so is judged, as its text is.
/// Gathers pieces into stretches of about half a window, a quarter at least.
/// A stretch is passed on to the turn once it has been judged twice: together with the one before
/// and with the one behind it, so that nothing shorter than a quarter of a window is shown in part
/// before it has been judged as a whole. Nothing is passed on after a text that was not let pass,
/// and the writer is told that nobody listens any more.
class GuardedStream : public Sink {
 public:
  /// Whether this part of the answer may pass; an error is why not.
  using Judge = std::function<awaitable<Result<void>>(std::string text)>;

  GuardedStream(Turn& turn, std::size_t window, Judge judge)
      : turn_(turn), stretch_(window / 2), judge_(std::move(judge)) {}

  awaitable<bool> write(Piece piece) override;
  /// The answer is complete: judges what is held, with `more` that was not streamed behind it, and
  /// passes it on.
  awaitable<Result<void>> finish(std::string more);
  /// Bytes of what the writer has thought aloud.
  std::size_t reasoning() const { return reasoning_; }
  /// Why nothing passes any more.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  struct Stretch {
    std::vector<Piece> pieces = {};
    std::string text = {};
  };

  awaitable<Result<void>> judge(std::string more);
  awaitable<Result<void>> pass(Stretch stretch);

  Turn& turn_;
  const std::size_t stretch_;
  const Judge judge_;
  Stretch judged_;  // together with what stands before it
  Stretch fresh_;
  std::size_t reasoning_ = 0;
  std::optional<Error> failure_;
};

}  // namespace lichen::mechanisms
