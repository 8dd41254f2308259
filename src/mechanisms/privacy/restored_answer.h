// An answer with placeholders in it becomes the user's: as it is written, and when it is complete.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/privacy/request_vault.h"
#include "mechanisms/privacy/restored_tokens.h"

namespace lichen::mechanisms {

/// How answers of one request are restored.
struct Restoring {
  std::shared_ptr<const RequestVault> vault;
  privacy::Setting setting = privacy::Setting::text;  // json: the answer's text is a JSON document
  std::string before = {};  // text that comes first, of the request's `begun` value
};

/// Sink of a child turn: passes pieces on, restored, as soon as they hold no half placeholder.
class RestoredStream : public Sink {
 public:
  RestoredStream(Turn& turn, const Restoring& restoring)
      : turn_(turn),
        reasoning_(restoring.vault, privacy::Setting::text),
        text_(restoring.vault, restoring.setting),
        tokens_(restoring.vault, restoring.setting),
        before_(restoring.before) {}

  awaitable<bool> write(Piece piece) override;
  /// The answer is complete: passes on what is held. `cancelled`: nobody listens any more.
  awaitable<Result<void>> finish();
  /// Whether anything was passed on.
  bool shown() const { return shown_; }

 private:
  void add(std::string text, std::vector<AnswerToken> logprobs);
  awaitable<Result<void>> pass();

  Turn& turn_;
  Restorer reasoning_;
  Restorer text_;
  RestoredTokens tokens_;
  std::string before_;  // what still comes before the first piece
  Piece ready_;         // to be passed on
  bool shown_ = false;
  Result<void> sent_;
};

/// Text, tokens, arguments of tool calls and quotations, with the authors' bytes as they are then.
Answer restored(Answer answer, const Restoring& restoring);

}  // namespace lichen::mechanisms
