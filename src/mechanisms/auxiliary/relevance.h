// How relevant sentences are to a question, by the perplexities of a local small model
// (LongLLMLingua, arXiv 2310.06839).
#pragma once

#include <string>
#include <vector>

#include "lichen/result.h"
#include "lichen/turn.h"
#include "mechanisms/auxiliary/surprise.h"

namespace lichen::mechanisms {

/// Safe to use from any thread.
class Relevance {
 public:
  explicit Relevance(Surprise surprise) : surprise_(std::move(surprise)) {}

  /// Of each sentence, in nats from 0 on: how much likelier it makes tokens of the question that
  /// stands behind it (LongLLMLingua's p(question | document)), and the question tokens of the
  /// sentence behind that (its contrastive perplexity). Only gains are added up: what is relevant
  /// need not explain all of the question, nor the question all of it. Each sentence is read by
  /// itself, so a text may be of any length, twice; of a long question its end counts. Adds a step
  /// with the role "compress". Fails as `Surprise::of` does.
  awaitable<Result<std::vector<double>>> of(std::string question,
                                            std::vector<std::string> sentences, Turn& turn) const;

 private:
  const Surprise surprise_;
};

}  // namespace lichen::mechanisms
