// What a student is trained on: how far its distribution of the next token is from a teacher's.
//
// For P the teacher's and Q the student's distribution, at one token:
//
//   sft            -log Q(token), the token being the one that the teacher wrote
//   forward_kl     KL(P || Q)                                  Hinton et al., arXiv 1503.02531
//   reverse_kl     KL(Q || P)                                  MiniLLM, arXiv 2306.08543
//   jsd            b KL(P || M) + (1-b) KL(Q || M) with M = b P + (1-b) Q,   GKD, arXiv 2306.13649
//   skew_kl        KL(P || a P + (1-a) Q)                      DistiLLM, arXiv 2402.03898
//   skew_reverse_kl KL(Q || (1-a) P + a Q)                     the same
//   tvd            1/2 sum over tokens of |P - Q|: the probability that speculative sampling at
//                  temperature 1 rejects a token that Q drafted for P   DistillSpec, 2310.08461
//   uld            sum over ranks i of |P_i - Q_i|, both sorted: for a teacher with another
//                  vocabulary                                  ULD, arXiv 2402.12030
//
// A teacher that told its k likeliest tokens only has P over k + 1 outcomes, the last of which, the
// tail, is "any other token"; Q is then taken over the same outcomes. With k all tokens that is the
// loss over the whole row; with fewer no divergence is more than that (data processing inequality).
#pragma once

#include <ATen/core/Tensor.h>

#include "mechanisms/distillation/training/loss_options.h"

namespace lichen::training {

/// What a teacher says of n tokens.
struct Targets {
  at::Tensor tokens;  // [n] int64: what it wrote, in the student's vocabulary
  /// Its k likeliest outcomes, or all. Without them only sft can be computed.
  at::Tensor logprobs = {};  // [n, k] float; uld: sorted, greatest first
  /// Which tokens of the student's these are: [n, k] int64, no token twice in a row, -1 where there
  /// are fewer than k. Undefined: column i is token i, or, of another vocabulary, anything (uld).
  at::Tensor ids = {};
  at::Tensor tail = {};  // [n] float: the log of what is left for all other tokens; undefined: none
};

/// The loss of each token, [n]; differentiable in `logits`, [n, vocabulary]. Teacher probabilities
/// below 1e-10 count as that: reverse losses would be infinite otherwise.
at::Tensor token_losses(const at::Tensor& logits, const Targets& targets,
                        const LossOptions& options);

/// The share of drafts by the student that the teacher accepts, at each token: the sum over
/// outcomes of min(P, Q), [n] (Leviathan et al., arXiv 2211.17192, section 3.2). With a tail at
/// most the smaller of both tails too much. Needs `targets.ids`, or whole rows.
at::Tensor acceptances(const at::Tensor& logits, const Targets& targets);

}  // namespace lichen::training
