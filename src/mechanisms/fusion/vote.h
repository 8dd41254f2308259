// `vote`: several plans answer, and what most of them say is the answer (self-consistency over
// models: Wang et al. 2022, arXiv 2203.11171; weighted majorities: Nitzan, Paroush 1982).
//
//   vote:
//     of: [small, other, large]     who votes; of answers with equal votes the first one's wins
//     samples: {small: 3}           how often each is asked; 1. Further answers are sampled
//     temperature: 0.7              of samples, 0.01 to 2
//     weights: {small: 1, other: 2} votes that each answer of a member has, 0 to 1000; 1
//     confidence: min               a vote counts as much as its answer is sure (confidence.h), in
//                                   place of one; with the confidence's own keys
//     order: together               all are asked at once; `in_turn`: in the order of `of`, each
//                                   time as few as may decide it
//     fallback: large               answers where nobody does; without it the plan fails
//
// Votes are counted as they come in (answer_key.h says which answers are equal). Once no other
// answer can draw level with the leader, those that still write are stopped. The answer is sent as
// a whole. Roles of steps: "answer", "vote" of the others, "cancelled", "failed". A member that
// fails, says nothing or is cut short by its own limit has no vote; where a policy refuses, so
// does the plan.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_vote(Options& options);

}  // namespace lichen::mechanisms
