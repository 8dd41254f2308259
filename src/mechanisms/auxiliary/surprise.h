// How surprising texts are to a local model, token by token: the negative log-likelihoods that a
// perplexity is the mean of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lichen/result.h"
#include "lichen/session.h"
#include "lichen/turn.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// Texts that are read each for itself behind the same tokens.
struct TextsBehind {
  std::vector<Token> before = {};
  std::vector<std::vector<Token>> texts = {};
};

/// Of each text the surprise of each token, in nats.
using Surprises = std::vector<std::vector<float>>;

/// Safe to use from any thread.
class Surprise {
 public:
  explicit Surprise(std::shared_ptr<model::LocalModel> model);

  const model::Vocabulary& vocabulary() const { return model_->vocabulary(); }

  /// As the beginning of a user's message. Reads what texts stand behind once, then the texts side
  /// by side; the result has those of each group in turn. `context_overflow`: a text and what is
  /// before it are longer than the model's context. Adds a step with that role, also where it
  /// fails.
  awaitable<Result<std::vector<Surprises>>> of(std::vector<TextsBehind> groups, std::string role,
                                               Turn& turn) const;

 private:
  struct Work;
  awaitable<Result<std::vector<Surprises>>> on_lane(std::vector<TextsBehind> groups,
                                                    std::string role, Turn& turn) const;
  awaitable<void> read_some(Work& work, Turn& turn) const;

  std::shared_ptr<model::LocalModel> model_;
  Result<std::vector<Token>> head_;  // what the template puts before a message: one token at least
};

}  // namespace lichen::mechanisms
