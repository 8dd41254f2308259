// One answer out of parts that several turns write: what AnswerWriter does for one turn.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lichen/answerer.h"
#include "model/answer_writer.h"

namespace lichen::mechanisms {

/// Sink of the parts' turn. Puts the parts together, each on lines of its own, and ends the whole
/// at the request's stop strings and `max_tokens`: then whoever writes is told that nobody listens.
/// One coroutine at a time may write.
class JoinedAnswer : public Sink {
 public:
  JoinedAnswer(const Request& request, Turn& turn);

  /// What is written next is another part.
  void next_part();
  awaitable<bool> write(Piece piece) override;
  /// Shows what was held back. Prompt tokens are the caller's to fill in.
  awaitable<Result<Answer>> finish();

  /// No more is wanted: the answer is complete, or nobody reads it any more.
  bool ended() const { return ended_; }

 private:
  static model::AnswerForm form_of(const Request& request);

  const model::AnswerForm form_;
  model::AnswerWriter writer_;
  std::string blanks_;  // of this part, which show once more of it comes
  bool first_part_ = true;
  bool begun_ = false;  // something of this part has come
  bool ended_ = false;
  bool full_ = false;  // max_tokens
  std::optional<Error> failure_ = {};
};

}  // namespace lichen::mechanisms
