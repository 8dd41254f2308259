// One answer of a `handover`: small writes until a token is critical, then large a stretch; the
// answer's end and its books. How large takes over is the two forms' own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lichen/answerer.h"
#include "mechanisms/co_writer.h"
#include "mechanisms/routing/handover_options.h"
#include "model/answer_writer.h"

namespace lichen::mechanisms {

/// On small's lane. All that it is given must outlive it.
class HandoverWriting {
 public:
  virtual ~HandoverWriting() = default;
  HandoverWriting(const HandoverWriting&) = delete;
  HandoverWriting& operator=(const HandoverWriting&) = delete;

  /// The whole answer, with the steps and the decision in the turn's receipt.
  awaitable<Result<Answer>> answer();

 protected:
  struct Parts {
    model::LocalModel& small;
    const std::vector<Token>& prompt;  // small's
    const std::string& large;          // its name
    /// Whose form, sampler and chat the answer has.
    const model::PreparedRequest& job;
    const model::LocalModel& of;
  };
  HandoverWriting(const HandoverOptions& options, const Parts& parts, Turn& turn);

  /// Large's stretch, at whose first token `likeliest` was small's choice. False: the answer is
  /// complete.
  virtual awaitable<Result<bool>> take_over(Token likeliest) = 0;
  /// Whether large could take over behind what is written.
  virtual bool can_hand_over() const { return true; }
  /// Large's step, where it is not in the receipt already.
  virtual std::optional<Step> step_of_large(std::int64_t /*tokens_out*/) const {
    return std::nullopt;
  }

  /// A token of one of the local models. False: it ends the answer.
  virtual awaitable<Result<bool>> add(Row row, const CoWriter& author);

  const HandoverOptions& options_;
  Turn& turn_;
  const model::Vocabulary& vocabulary_;  // of `tokens_`
  SharedAnswer tokens_;                  // as small reads the answer
  CoWriter small_;
  model::AnswerWriter writer_;
  /// By another limit than the writer's own, or by large's content filter.
  std::optional<Finish> ended_ = {};

 private:
  awaitable<Result<void>> write();

  const std::string& large_;
  CriticalGate gate_;
};

}  // namespace lichen::mechanisms
