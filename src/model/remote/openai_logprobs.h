// Log-probabilities in a reply, in both forms that endpoints use.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "lichen/turn.h"

namespace lichen::model {

/// Chat form: {"content": [{"token", "bytes", "logprob", "top_logprobs": [...]}]}; older form of
/// /completions: {"tokens", "token_logprobs", "top_logprobs": [{token: logprob}]}. Entries that
/// are not as they should be are left out.
std::vector<AnswerToken> read_logprobs(const boost::json::object& logprobs);

}  // namespace lichen::model
