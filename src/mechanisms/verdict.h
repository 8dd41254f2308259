// A model that is asked to choose between two words, and how sure it is of the first (P(True):
// Kadavath et al. 2022, arXiv 2207.05221).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

/// As they are to be written; read in whatever case. Neither begins like the other.
struct VerdictWords {
  std::string_view first = "yes";
  std::string_view second = "no";
};

/// P(first) / (P(first) + P(second)) at the first token of a verdict that is not blank, 0 to 1;
/// begun words count. NaN where neither is among that token and its alternatives.
double share_of_first(std::span<const AnswerToken> verdict, VerdictWords words = {});

/// Asks `prompt` on a child turn, whose steps get `role`, and returns that share. A local model is
/// held to the two words by a grammar, so that one token is enough. Where there are no
/// log-probabilities, the verdict's text counts: 1 or 0. `upstream`: it says neither word.
awaitable<Result<double>> ask_verdict(AnswererPtr judge, std::string prompt, VerdictWords words,
                                      std::string role, Turn& turn);

}  // namespace lichen::mechanisms
