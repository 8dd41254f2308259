#include "mechanisms/distillation/training/loss_names.h"

#include <algorithm>
#include <array>

namespace lichen::training {

namespace {

constexpr std::array kLosses = {
    LossFacts{LossKind::sft, "sft", "the tokens that the teacher wrote"},
    LossFacts{LossKind::forward_kl, "forward_kl", "KL(teacher || student): covers all it may say"},
    LossFacts{LossKind::reverse_kl, "reverse_kl",
              "KL(student || teacher): says nothing it would not; after sft"},
    LossFacts{LossKind::jsd, "jsd", "between both, by beta (GKD)"},
    LossFacts{LossKind::skew_kl, "skew_kl", "KL(teacher || mixture), by skew (DistiLLM)"},
    LossFacts{LossKind::skew_reverse_kl, "skew_reverse_kl", "KL(student || mixture), by skew"},
    LossFacts{LossKind::tvd, "tvd", "what speculation rejects: a draft, after forward_kl"},
    LossFacts{LossKind::uld, "uld", "sorted probabilities: a teacher with another vocabulary"},
};

}  // namespace

std::span<const LossFacts> losses() { return kLosses; }

std::string_view name_of(LossKind kind) {
  return std::ranges::find(kLosses, kind, &LossFacts::kind)->name;
}

Result<LossKind> loss_named(std::string_view name) {
  const auto* found = std::ranges::find(kLosses, name, &LossFacts::name);
  if (found != kLosses.end()) return found->kind;
  std::string names;
  for (const LossFacts& loss : kLosses) {
    names += (names.empty() ? "" : ", ") + std::string(loss.name);
  }
  return fail(Errc::bad_request, "no loss '" + std::string(name) + "'; there are " + names);
}

Result<void> check(const LossOptions& options) {
  // Written so that NaN fails.
  if (!(options.beta > 0 && options.beta < 1)) {
    return fail(Errc::bad_request,
                "beta must be between 0 and 1; for the ends there are forward_kl (0) and "
                "reverse_kl (1)");
  }
  if (!(options.skew >= 0 && options.skew < 1)) {
    return fail(Errc::bad_request, "skew must be from 0 to below 1");
  }
  if (!(options.hard >= 0 && options.hard < 1)) {
    return fail(Errc::bad_request, "hard must be from 0 to below 1; for 1 there is the loss sft");
  }
  return {};
}

}  // namespace lichen::training
