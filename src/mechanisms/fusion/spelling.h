// How a vocabulary spells bytes: text, or any part of one.
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lichen/result.h"
#include "lichen/session.h"
#include "model/vocabulary.h"

namespace lichen::mechanisms {

/// Immutable, hence safe from any thread. The vocabulary must outlive it.
class Spelling {
 public:
  explicit Spelling(const model::Vocabulary& vocabulary);

  const model::Vocabulary& vocabulary() const { return vocabulary_; }
  /// The token of just these bytes; -1: there is none. Of several the last, as tokens for single
  /// bytes come before the others.
  Token find(std::string_view bytes) const;
  /// Tokens whose bytes, one after the other, are `bytes`: as the vocabulary splits text where that
  /// gives these bytes back, else the longest token at each place. It may not where the bytes are
  /// no text (half of a character), or where it puts a blank before a text. `unsupported`: a byte
  /// that no token begins with.
  Result<std::vector<Token>> spell(std::string_view bytes) const;
  /// Those that end an answer.
  const std::vector<Token>& ends() const { return ends_; }

 private:
  Result<std::vector<Token>> longest_first(std::string_view bytes) const;

  const model::Vocabulary& vocabulary_;
  std::unordered_map<std::string_view, Token> tokens_;
  std::vector<Token> ends_;
  std::size_t longest_ = 0;  // bytes of a token
};

}  // namespace lichen::mechanisms
