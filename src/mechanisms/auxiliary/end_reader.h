// The probability that a model's answer ends here, read off its row.
#pragma once

#include <limits>
#include <span>
#include <vector>

#include "lichen/session.h"
#include "model/rows.h"
#include "model/vocabulary.h"

namespace lichen::mechanisms {

/// Reads the log-probability of an end off the row that it is given; it chooses nothing but the
/// likeliest token.
class EndReader : public Sampler {
 public:
  /// `ends`: the tokens that end an answer. They must outlive it.
  explicit EndReader(std::span<const Token> ends) : ends_(ends) {}

  Result<Token> sample(std::span<const float> logits) override {
    std::vector<float> ends;
    for (const Token end : ends_) ends.push_back(logits[static_cast<std::size_t>(end)]);
    logprob_ = model::log_sum_exp(ends) - model::log_sum_exp(logits);
    return model::argmax(logits);
  }
  double logprob() const { return logprob_; }

 private:
  const std::span<const Token> ends_;
  double logprob_ = -std::numeric_limits<double>::infinity();
};

inline std::vector<Token> ends_of(const model::Vocabulary& vocabulary) {
  std::vector<Token> ends;
  for (Token token = 0; token < vocabulary.size(); ++token) {
    if (vocabulary.ends(token)) ends.push_back(token);
  }
  return ends;
}

}  // namespace lichen::mechanisms
