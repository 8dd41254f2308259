// What `prefill` sees of a request: small's own pass over the prompt, in which its last hidden
// state tells how sure it is to answer rightly (arXiv 2603.20895). The pass is the one that small's
// answer needs anyway.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "lichen/request.h"
#include "lichen/session.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// Names what follows; another one when that changes. Part of a router's file and of its data.
inline constexpr std::string_view kPrefillSchema = "prefill-1";

/// Of the prompt: ln(1 + tokens). Of the answer's first token: the log-probability of the likeliest
/// one, its distance to the second, the entropy (nats). Then the last hidden state.
inline constexpr std::size_t kPrefillScalars = 4;

/// What a reading has to bring back for it.
Want prefill_look();
std::vector<float> prefill_features(const model::Reading& reading);

/// Reads the request for its features alone. Fails as `LocalModel::read` does.
awaitable<Result<std::vector<float>>> read_prefill_features(
    std::shared_ptr<model::LocalModel> small, Request request, Turn& turn);

}  // namespace lichen::mechanisms
