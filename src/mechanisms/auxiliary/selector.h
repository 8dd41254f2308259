// How the best of several answers is told:
//
//   agreement  what most of them say as their final answer (self-consistency: Wang et al. 2022,
//              arXiv 2203.11171)
//   judge      the probability that a plan finds it right, asked by prompts/judge.txt or verify.txt
//   logprob    the log-probability of the whole answer, its end included, under a local model
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

/// Answers that say the same.
struct Candidate {
  std::string key = {};              // what they say
  const Answer* answer;              // the first of them
  int votes = 0;                     // how many they are
  std::optional<double> score = {};  // none: not verified yet; NaN: cannot be; larger is better
};

/// Shared by all turns of its plan: safe to use from any thread.
class Selector {
 public:
  virtual ~Selector() = default;
  /// For receipts: "log-prob under large".
  virtual const std::string& words() const = 0;
  /// Answers with equal keys are one candidate.
  virtual std::string key(const Answer& answer) const = 0;
  /// Gives all candidates their scores; what is asked for it is in the receipt as "verify". Fails
  /// where it can tell nothing about any of those that had none.
  virtual awaitable<Result<void>> score(const Request& request, std::vector<Candidate>& candidates,
                                        Turn& turn) const = 0;
  /// How many of the `left` answers that may still be drawn are needed before the best of these can
  /// be known: 0 once it cannot be caught.
  virtual int wanted(std::span<const Candidate> candidates, int left) const = 0;
};

/// The first of those with the largest score; `candidates` is not empty.
std::size_t best_of(std::span<const Candidate> candidates);

/// The one that `by` names, with its own options.
Result<std::unique_ptr<Selector>> build_selector(Options& options);

}  // namespace lichen::mechanisms
