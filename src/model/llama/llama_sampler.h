// Sampling with libllama's chain (penalties, filters, temperature) and our own grammars.
#pragma once

#include <memory>
#include <string>

#include "lichen/request.h"
#include "lichen/session.h"
#include "model/token_order.h"

namespace lichen::model {

/// A sampler for one answer, or null where the argmax of the raw logits is what `sampling` asks
/// for. `begun` is text of the grammar that the prompt holds already. Errors: `bad_request` for
/// values out of range and for grammars that do not parse. The vocabulary of `tokens` must outlive
/// it.
///
/// The order is: logit bias, repetition, presence and frequency penalties (over the last 256 tokens
/// of the answer), top-k, top-p, min-p, temperature, then a draw with the request's seed, by which
/// a draft is accepted or not. The grammar is asked about the drawn token only, and about the whole
/// row where it refuses that one; the sampler fails where no token can follow.
Result<std::unique_ptr<Sampler>> make_llama_sampler(std::shared_ptr<const TokenOrder> tokens,
                                                    const Sampling& sampling,
                                                    const std::string& grammar,
                                                    const std::string& begun);

}  // namespace lichen::model
