// `handover` where both models hold the same tokens.
#pragma once

#include <memory>
#include <string>

#include "lichen/answerer.h"
#include "mechanisms/routing/critical_token.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

struct HandoverOptions {
  const Criterion* criterion = nullptr;
  double threshold = 0;
  int span = 1;  // tokens that large writes at least
  int back = 0;  // tokens in a row that must be small's likeliest too before it hands back
};

/// What the receipt says of an answer. `by_large`: tokens that large wrote of `tokens`.
Decision handover_decision(const HandoverOptions& options, const CriticalGate& gate,
                           std::int64_t by_large, std::int64_t tokens);

/// The models are of one lane and have the same tokens.
AnswererPtr make_handover_in_step(std::shared_ptr<model::LocalModel> small,
                                  std::shared_ptr<model::LocalModel> large,
                                  const HandoverOptions& options);

}  // namespace lichen::mechanisms
