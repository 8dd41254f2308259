// A model that reads texts as wholes, each token in sight of all others, and has a state for each:
// for labels, not for answers.
#pragma once

#include <string>
#include <vector>

#include "lichen/session.h"
#include "lichen/turn.h"
#include "model/vocabulary.h"

namespace lichen::model {

/// Safe to use from any thread.
class TokenEncoder {
 public:
  virtual ~TokenEncoder() = default;

  virtual const std::string& name() const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  /// Values of a state.
  virtual int width() const = 0;
  /// Tokens that one pass takes, and texts.
  virtual int pass_tokens() const = 0;
  virtual int pass_texts() const = 0;

  /// One pass over texts that see only themselves: the states of all tokens, `width` values each,
  /// one text behind the other. Computed on the lane's thread, between other models' batches.
  /// `cancelled`, `deadline_exceeded`: checked before it; `internal`: more tokens or texts than a
  /// pass takes, or libllama failed. An empty text has no states.
  virtual awaitable<Result<std::vector<float>>> encode(std::vector<std::vector<Token>> texts,
                                                       Turn& turn) = 0;
};

}  // namespace lichen::model
