// What both forms of `handover` share: its options and what it tells the receipt.
#pragma once

#include <cstdint>

#include "lichen/receipt.h"
#include "mechanisms/routing/critical_token.h"

namespace lichen::mechanisms {

struct HandoverOptions {
  CriticalRule rule = {};
  int span = 1;  // tokens that large writes at least
  int back = 0;  // tokens in a row that must be small's likeliest too before it hands back
};

/// `by_large`: tokens that large wrote of `tokens`.
Decision handover_decision(const CriticalRule& rule, const CriticalGate& gate,
                           std::int64_t by_large, std::int64_t tokens);

}  // namespace lichen::mechanisms
