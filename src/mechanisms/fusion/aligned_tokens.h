// A model's tokens of an answer that is written in pieces of bytes, not all of them its own.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mechanisms/fusion/spelling.h"

namespace lichen::mechanisms {

/// At all times the bytes of its tokens, one after the other, are the bytes that were appended.
/// What another has written is split as the model splits text, so that it reads what it knows: the
/// end of the answer, from where a word begins, is split anew with each piece. No model in here:
/// whoever holds a session for these tokens rolls it back to those that stand, and feeds the rest.
class AlignedTokens {
 public:
  /// `spelling` must outlive it.
  explicit AlignedTokens(const Spelling& spelling) : spelling_(spelling) {}

  /// Appends some bytes. `own`: the token of just these bytes by which the model itself goes on;
  /// it is kept as it is. Returns how many tokens stand as they were. Fails as Spelling::spell, and
  /// nothing has changed then.
  Result<std::size_t> append(std::string_view bytes, Token own = -1);

  std::span<const Token> tokens() const { return tokens_; }
  const std::string& text() const { return text_; }

 private:
  std::size_t word_start(std::string_view bytes) const;

  const Spelling& spelling_;
  std::string text_;
  std::vector<Token> tokens_;
  std::vector<std::size_t> begins_;  // of each token, in the text
};

}  // namespace lichen::mechanisms
