// `blend`: each token of an answer is chosen from one distribution, made of those of several
// models. Models that err in different places correct each other there (ensembles; for next tokens
// of large models: GaC, arXiv 2406.12585; UniTE, arXiv 2410.03777).
//
//   blend:
//     of: [small, other]   2 to 4 models. The first answers: its chat form, its sampling, its name
//     rule: mean           `mean` of the probabilities, or `product` of their powers
//     weights: {small: 0.6, other: 0.4}   each model's weight; or `equal`; `confidence`: in
//                          proportion to the inverse perplexity of its distribution, token by
//                          token; `learned`: from the file of `learned`
//     learned: my.weights  what `lichen blend` made for these models
//     gate: 0.4            the others are asked only where the first one's entropy is over so many
//                          nats; absent: always
//     top: 20              of each model's pieces, where vocabularies differ
//
// Local models of one vocabulary blend whole rows (blend_in_step.h): sampling, grammars, tools,
// penalties and log-probabilities are as for one model. Otherwise the choice is among the union of
// each model's likeliest pieces of bytes (blend_by_pieces.h), without what goes by tokens.
//
// A remote model takes part where it goes on with a begun answer (`Model::continues`) and gives the
// log-probabilities of its likeliest tokens; each token it is asked for is a request, so `gate` is
// required.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_blend(Options& options);

}  // namespace lichen::mechanisms
