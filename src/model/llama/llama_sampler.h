// Sampling with libllama's chain: penalties, filters, temperature, grammar.
#pragma once

#include <llama.h>

#include <memory>
#include <string>

#include "lichen/request.h"
#include "lichen/session.h"

namespace lichen::model {

/// A sampler for one answer, or null where the argmax of the raw logits is what `sampling` asks
/// for. Errors: `bad_request` for values out of range and for grammars that do not parse. `vocab`
/// must outlive it.
///
/// The order is: logit bias, repetition, presence and frequency penalties (over the last 256 tokens
/// of the answer), top-k, top-p, min-p, temperature, then a draw with the request's seed. The
/// grammar is asked about the drawn token only, and about the whole row where it refuses that one.
Result<std::unique_ptr<Sampler>> make_llama_sampler(const llama_vocab* vocab,
                                                    const Sampling& sampling,
                                                    const std::string& grammar);

}  // namespace lichen::model
