// Which requests are the same: digests over everything that an answer depends on.
#pragma once

#include <optional>
#include <string_view>

#include "base/sha256.h"
#include "lichen/request.h"

namespace lichen::mechanisms {

/// Of all fields. Objects of JSON are the same only with their members in one order, which what is
/// made of them follows. `partition`: requests of different ones are never the same.
base::Sha256 digest_of(const Request& request, std::string_view partition);

/// Of all but the text of the last message, where that is a user's and alone decides what is asked:
/// not with tools, a raw prompt, a begun answer or log-probabilities. None: another question never
/// has this one's answer.
std::optional<base::Sha256> digest_around_question(const Request& request,
                                                   std::string_view partition);

}  // namespace lichen::mechanisms
