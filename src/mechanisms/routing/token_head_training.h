// Trains `handover`'s head: large's answers are read by small in one pass each, which tells at
// every token whether small would have written another one. Logistic regression with an L2 penalty,
// by L-BFGS. No random choice is made.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "lichen/request.h"
#include "mechanisms/routing/token_head.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// One token of an answer of large's.
struct TokenLesson {
  std::vector<float> features = {};  // of small's row before it
  bool unlike = false;               // small's likeliest token is another one
};

/// What large's answer `text` to `request` teaches, token by token as small reads it. `ended`: the
/// answer is complete, so that its end is a token, too. Fails as `LocalModel::answer` does;
/// `unsupported` where the request has tools.
awaitable<Result<std::vector<TokenLesson>>> read_token_lessons(
    std::shared_ptr<model::LocalModel> small, Request request, std::string text, bool ended,
    Turn& turn);

struct HeadTraining {
  std::stop_token stop = {};
  std::function<void(double)> progress = {};  // 0 to 1; may be empty
};

/// `bad_request`: fewer than 100 tokens, or all alike or all unlike. `cancelled`: stopped. Fills in
/// all that the lessons tell; the models and the data's hash are the caller's.
Result<TokenHead> train_token_head(std::span<const TokenLesson> lessons,
                                   const HeadTraining& options = {});

}  // namespace lichen::mechanisms
