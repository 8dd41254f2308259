// How likely a local model finds each token of an answer, and what it would have said instead.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "lichen/answerer.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// Reads whole answers in one pass over prompt and answer. Safe to use from any thread.
class AnswerScorer {
 public:
  /// `alternatives`: how many of the likeliest tokens are kept at each place.
  AnswerScorer(std::shared_ptr<model::LocalModel> model, int alternatives)
      : model_(std::move(model)), alternatives_(alternatives) {}

  /// Puts `answer.text` into tokens of the model's own, each with its log-probability after
  /// `request` and with the likeliest alternatives. Where the answer is finished a last one of no
  /// text is its end. Adds a step with the role "score". Errors: those of `LocalModel::prepare` and
  /// `Session::decode`; the answer is then as it was.
  awaitable<Result<void>> score(Request request, Answer& answer, Turn& turn) const;

 private:
  awaitable<Result<std::vector<Row>>> read(std::vector<Token> prompt, std::vector<Token> answer,
                                           Turn& turn) const;

  const std::shared_ptr<model::LocalModel> model_;
  const int alternatives_;
};

}  // namespace lichen::mechanisms
