// A vocabulary in the order of its tokens' bytes, so that a grammar looks at beginnings that many
// tokens share once.
#pragma once

#include <cstddef>
#include <vector>

#include "model/grammar_matcher.h"
#include "model/vocabulary.h"

namespace lichen::model {

/// Immutable; the vocabulary must outlive it.
class TokenOrder {
 public:
  explicit TokenOrder(const Vocabulary& vocabulary);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  /// Whether the token may follow where the matcher stands, which is after `keep`. One that ends
  /// answers may where the text is complete.
  bool allows(GrammarMatcher& matcher, Token token) const;
  /// The same for all tokens.
  std::vector<bool> allowed(GrammarMatcher& matcher) const;

 private:
  struct Entry {
    Token token;
    std::size_t shared;  // bytes that it begins with as the entry before does
  };
  const Vocabulary& vocabulary_;
  std::vector<Entry> entries_;  // of tokens that have bytes
  std::vector<Token> ends_;
};

}  // namespace lichen::model
