// What a request may cost at most, before it is made.
#pragma once

#include <cstdint>
#include <string_view>

#include "policy/config.h"

namespace lichen::policy {

/// USD for asking each model below `name`, a plan or model, once with that many tokens at its
/// dearest price. A plan that asks a model several times may cost more.
double cost_bound(const Config& config, std::string_view name, std::int64_t tokens_in,
                  std::int64_t tokens_out);

}  // namespace lichen::policy
