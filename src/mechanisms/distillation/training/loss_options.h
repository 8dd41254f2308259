// Which loss a student is trained with. torch/losses.h has the formulas.
#pragma once

#include <cstdint>

namespace lichen::training {

enum class LossKind : std::uint8_t {
  sft,
  forward_kl,
  reverse_kl,
  jsd,
  skew_kl,
  skew_reverse_kl,
  tvd,
  uld,
};

struct LossOptions {
  LossKind kind = LossKind::sft;
  double beta = 0.5;  // jsd: 0 < beta < 1
  double skew = 0.1;  // skew_kl, skew_reverse_kl: 0 <= skew < 1
  /// Share of the loss that is sft on the token written, beside a loss on distributions.
  double hard = 0;
};

}  // namespace lichen::training
