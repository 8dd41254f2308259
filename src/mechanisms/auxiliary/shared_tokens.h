// Tokens that two vocabularies have in common, so that a drafter can serve a target of another
// vocabulary.
#pragma once

#include <span>
#include <vector>

#include "lichen/session.h"
#include "model/vocabulary.h"

namespace lichen::mechanisms {

/// Tokens with the same bytes are the same, and so are those that end an answer. A drafter that
/// chooses among these only drafts by their intersection (Timor et al., arXiv 2502.05202, section
/// 4.2). Immutable; both vocabularies must outlive it.
class SharedTokens {
 public:
  SharedTokens(const model::Vocabulary& drafter, const model::Vocabulary& target);

  /// Of the drafter's tokens that text is made of, the share that the target has, 0 to 1.
  double overlap() const { return overlap_; }
  /// The drafter's token as the target has it; -1: it has none.
  Token target(Token drafter) const { return to_target_[static_cast<std::size_t>(drafter)]; }
  /// Appends the target's token as the drafter reads it: one token, or the several that its bytes
  /// are made of.
  Result<void> read(Token target, std::vector<Token>& tokens) const;

 private:
  const model::Vocabulary& drafter_;
  const model::Vocabulary& target_;
  std::vector<Token> to_target_;
  std::vector<Token> to_drafter_;  // -1: none
  double overlap_ = 0;
};

}  // namespace lichen::mechanisms
