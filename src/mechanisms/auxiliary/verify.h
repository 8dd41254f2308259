// `verify`: best of n. One plan answers several times, and the answer that a verifier thinks most
// of is returned (Cobbe et al. 2021, arXiv 2110.14168).
//
//   verify:
//     of: small           answers
//     n: 4                times at most, 1 to 64: once as it was asked, then sampled
//     temperature: 0.7    of the samples, 0.01 to 2
//     by: logprob         what tells the best: `logprob`, `judge` or `agreement` (selector.h)
//     verifier: large     for `logprob`, a local model; for `judge`, any plan
//     prompt: judge       for `judge`: the file of prompts/ that it is asked by, or `verify`
//
// Answers are drawn in waves, each side by side, and no more of them once those that are left
// cannot change which is best. Equal answers count as one and are verified once; of equally good
// ones the first is taken. It is sent as a whole. Its steps have the role "answer", those of the
// others "sample", the verifier's "verify". Where the verifier fails, the first answer is returned,
// and the receipt says so; the plan fails where no answer could be had, and where a policy refuses.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_verify(Options& options);

}  // namespace lichen::mechanisms
