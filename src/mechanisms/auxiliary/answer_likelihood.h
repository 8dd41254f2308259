// How likely answers are that somebody else has written, read off a local model's logits.
#pragma once

#include <memory>
#include <vector>

#include "lichen/answerer.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// Safe to use from any thread.
class AnswerLikelihood {
 public:
  /// `model` is a local Model. One without logits (while plans are checked before their models are
  /// loaded, or brought along by an embedding program) makes `of` fail with `unsupported`.
  explicit AnswerLikelihood(const AnswererPtr& model);

  /// The log-probability of each answer to the request, in nats, summed over its tokens and, unless
  /// it was cut off, its end; at temperature 1. The prompt is read once, then all answers in one
  /// batch. An answer that the model cannot read (longer than its context, or one that calls tools)
  /// has -infinity. Adds a step with the role "verify", also where it fails.
  awaitable<Result<std::vector<double>>> of(const Request& request,
                                            std::vector<const Answer*> answers, Turn& turn) const;

 private:
  struct Job;
  awaitable<Result<std::vector<double>>> on_lane(Job job, Turn& turn) const;
  awaitable<void> read_one(const Job& job, std::size_t index, Session& session,
                           Result<double>& logprob) const;

  std::shared_ptr<model::LocalModel> model_;  // may be null
  std::vector<Token> ends_;                   // tokens that end an answer
};

}  // namespace lichen::mechanisms
