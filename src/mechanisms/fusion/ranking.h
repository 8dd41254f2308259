// Which of several answers to a question are the best, by a judge that compares two at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

struct Ranking {
  std::vector<std::size_t> order = {};  // of the answers, the best first
  std::vector<double> strengths = {};   // of all answers, adding up to 1; empty: not ranked
  int comparisons = 0;
  int pairs = 0;
  int pairs_in_doubt = 0;   // which answer won depended on which stood first
  int without_verdict = 0;  // comparisons, which count as draws
  std::string why = {};     // the first of these had none
};

/// Compares all pairs in both orders, side by side, by prompts/compare.txt; equally strong answers
/// stay in their order, and so do all where no comparison had a verdict. What it costs is one step
/// "compare" for each model in the receipt of `turn`. Fails where the turn ends or a policy
/// refuses.
awaitable<Result<Ranking>> rank(AnswererPtr judge, std::string question,
                                std::vector<std::string> answers, Turn& turn);

}  // namespace lichen::mechanisms
