// What several mechanisms do with the outcome of a child turn: its cost into the receipt, its
// answer into the stream.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

/// Joins a child's receipt to the turn's. Steps that answered the child's request have served
/// `role` in this turn ("draft"); steps with another role keep it.
void absorb_as(Turn& turn, const Turn& child, std::string_view role);

/// Emits an answer that was written beforehand: what was thought first, one piece for each stretch
/// of one author, with log-probabilities if the turn's request asked for them. `cancelled` when
/// nobody listens.
awaitable<Result<void>> emit_whole(Answer answer, bool logprobs, Turn& turn);

/// Whether it was the model's own limit (its context, the endpoint's cap) or content filter that
/// ended the answer and not the user's: another model may then finish it.
bool cut_short(const Answer& answer, const std::optional<int>& max_tokens);

/// What the user did not ask for is not shown: of each token's alternatives `wanted` stay.
void drop_alternatives(Answer& answer, std::size_t wanted);

/// Whether asking someone else would be wrong after this failure: the turn itself is over
/// (cancelled, past its deadline), or a policy said no. A time limit of a model's own is not final.
bool is_final(const Error& error, const Turn& turn);

}  // namespace lichen::mechanisms
