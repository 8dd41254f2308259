// Losses by name, as options give them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lichen/result.h"
#include "mechanisms/distillation/training/loss_options.h"

namespace lichen::training {

struct LossFacts {
  LossKind kind;
  std::string_view name;
  std::string_view summary;
};
std::span<const LossFacts> losses();
std::string_view name_of(LossKind kind);
/// `bad_request` with the names that there are.
Result<LossKind> loss_named(std::string_view name);

/// `bad_request` where a number is outside of its range.
Result<void> check(const LossOptions& options);

}  // namespace lichen::training
