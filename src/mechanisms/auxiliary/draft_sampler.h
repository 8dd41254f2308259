// How a drafter chooses its guesses, and how the target's sampler hears of them.
#pragma once

#include <cstddef>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "lichen/request.h"
#include "lichen/session.h"
#include "mechanisms/auxiliary/guess.h"
#include "mechanisms/auxiliary/shared_tokens.h"

namespace lichen::mechanisms {

/// Draws from the drafter's likeliest tokens, filtered and heated as the target's are, so that the
/// two distributions have much in common; takes the likeliest at temperature 0. Penalties, biases
/// and grammars are the target's alone. Serves one answer.
class DraftSampler : public Sampler {
 public:
  /// `shared`: only tokens that the target has as well are chosen; null: it has them all.
  DraftSampler(const Sampling& sampling, const SharedTokens* shared);

  /// The drafter's own token.
  Result<Token> sample(std::span<const float> logits) override;
  /// What was chosen last, as the target knows it; none where it knows none of the likeliest.
  std::optional<Guess> take() { return std::exchange(guess_, std::nullopt); }

 private:
  void filter(std::vector<TokenProb>& tokens) const;

  const Sampling sampling_;
  const SharedTokens* const shared_;
  const double temperature_;
  std::mt19937_64 random_;
  std::optional<Guess> guess_;
};

/// Stands before the target's sampler and tells it of each row's draft. For one step.
class DraftCheck : public Sampler {
 public:
  DraftCheck(Sampler& target, std::span<const Guess> guesses)
      : target_(target), guesses_(guesses) {}
  Result<Token> sample(std::span<const float> logits) override;

 private:
  Sampler& target_;
  const std::span<const Guess> guesses_;
  std::size_t next_ = 0;
};

}  // namespace lichen::mechanisms
