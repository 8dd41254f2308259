// What a student learns from: a prompt, the answer that it is to give, and what a teacher says of
// each of the answer's tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "lichen/session.h"

namespace lichen::training {

/// All tokens are the student's.
struct Example {
  std::vector<Token> prompt;
  std::vector<Token> answer;  // with the token that ends it
  float weight = 1;           // of each of its tokens in the loss

  // What a teacher says of each token of the answer, `width` outcomes for each; 0: nothing.
  std::int64_t width = 0;
  std::vector<float> logprobs = {};
  std::vector<Token> ids = {};   // -1 where there are fewer; empty: sorted, of another vocabulary
  std::vector<float> tail = {};  // log-probability of all others; empty: there are none

  std::int64_t length() const { return static_cast<std::int64_t>(prompt.size() + answer.size()); }
  double total_weight() const { return static_cast<double>(answer.size()) * weight; }
};

}  // namespace lichen::training
