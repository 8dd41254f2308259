// Rows of logits out of those of several models with one vocabulary. Pure functions; all rows have
// one length, and a logit that is no number counts as -inf.
#pragma once

#include <span>
#include <vector>

namespace lichen::mechanisms {

/// Contrastive decoding: what the expert says beyond the amateur. (1 + beta) * expert - beta *
/// amateur where the expert's probability is at least alpha times its largest, -inf elsewhere (Li
/// et al., arXiv 2210.15097; in the form of O'Brien and Lewis, arXiv 2309.09117, section 2.2).
void contrast(std::span<const float> expert, std::span<const float> amateur, double alpha,
              double beta, std::vector<float>& out);

/// Proxy-tuning: large, moved as tuning has moved a small model. large + strength * (tuned - base)
/// (Liu et al., arXiv 2401.08565, section 3; strength 1 there).
void proxy_tune(std::span<const float> large, std::span<const float> tuned,
                std::span<const float> base, double strength, std::vector<float>& out);

}  // namespace lichen::mechanisms
