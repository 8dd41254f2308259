// `auto`: learns which of several plans answers what, from feedback (a contextual bandit, LinUCB:
// Li et al. 2010, arXiv 1003.0146), within a budget and a limit of latency.
//
//   auto:
//     of: [small, cascade, large]   the plans, at least two
//     safe: large                   answers until another has shown that it does well; the last of
//                                   `of` without it
//     explore: 0.05                 at most this share of requests tries another plan than the one
//                                   that is expected to do best
//     risk: {alpha, delta}          another than the safe one only while it is wrong, with
//     confidence
//                                   1 - delta, in at most the share alpha of what it is chosen for
//     price: {usd: 0, second: 0}    points of the score that a US dollar and a second take
//     budget: {usd_per_hour: X}     or {large_tokens_per_hour: N}, the tokens that `large` writes;
//                                   no hour spends more, but for the last request
//     large: large                  the model whose tokens count; without it the safe one
//     latency: {p95_ms: N}          at most 5 % of the answers may take longer
//     verifier: large               says whether answers are right, where there is no feedback;
//     verify: 0.05                  of all that were explored and of this share of the others
//
// plan_chooser.h says how it chooses and learns. The chosen plan answers as it does alone; if it
// fails, so does `auto`: where another should answer then, put it into a `fallback`. A failure that
// is the plan's fault counts as the score 0. The verifier is asked after the answer has been
// streamed, but before the turn ends, by prompts/judge.txt; its steps have the role "verify". It
// must reply yes or no; any other reply, and its failure, say nothing.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_auto(Options& options);

}  // namespace lichen::mechanisms
