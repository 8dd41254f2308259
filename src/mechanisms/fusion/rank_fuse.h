// `rank_fuse`: several plans answer, a judge compares the answers two by two, and the best are
// fused into one (LLM-Blender: Jiang et al. 2023, arXiv 2306.02561; in layers, Mixture-of-Agents:
// Wang et al. 2024, arXiv 2406.04692).
//
//   rank_fuse:
//     of: [small, other]    who answers
//     samples: {small: 3}   how often each is asked; 1. Further answers are sampled
//     temperature: 0.7      of samples, 0.01 to 2
//     judge: large          which of two answers is better, asked by prompts/compare.txt in both
//                           orders; without it answers rank as they stand in `of`
//     keep: 2               so many of the best are fused; without a judge all are
//     by: large             fuses them, asked by prompts/fuse.txt; without it: the best
//     layers: 1             from the second on members are asked by prompts/fuse.txt, too, about
//                           the best of the layer before, 1 to 8; one without answers is
//                           passed over
//     fallback: large       answers where no member does, and where `by` fails; without it the plan
//                           fails where no member answers, and the best answer stands where `by`
//                           fails
//
// The order is that of Bradley-Terry strengths (bradley_terry.h). Equal answers (answer_key.h) are
// compared as one, and where all are equal there is nothing to rank or to fuse: it is the answer.
// That of `by` streams, others are sent as a whole. A comparison that the judge fails, or says
// neither A nor B of, is a draw. A raw prompt is `unsupported`. Roles of steps: "candidate",
// "compare", "answer", "failed".
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_rank_fuse(Options& options);

}  // namespace lichen::mechanisms
