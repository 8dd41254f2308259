// The tokens of a local model and the way between text and tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "lichen/session.h"

namespace lichen::model {

/// Immutable, hence safe from any thread; one for each set of weights.
class Vocabulary {
 public:
  virtual ~Vocabulary() = default;
  virtual int size() const = 0;
  /// `special`: text such as "<|im_end|>" becomes control tokens and the model's own begin token
  /// is added, as for a rendered chat; without, every byte is plain text.
  virtual Result<std::vector<Token>> tokenize(std::string_view text, bool special) const = 0;
  /// The token's bytes, which may be part of a UTF-8 character; empty for control tokens. Valid as
  /// long as the vocabulary.
  virtual std::string_view piece(Token token) const = 0;
  /// Whether the token ends an answer.
  virtual bool ends(Token token) const = 0;
};

/// Whether a token of one means the same in the other, for all tokens: sessions of both models can
/// then hold the same sequence. Looks at every token.
bool same_tokens(const Vocabulary& a, const Vocabulary& b);

}  // namespace lichen::model
