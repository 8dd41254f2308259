// The part of a request that routers look at.
#pragma once

#include <string_view>

#include "lichen/request.h"

namespace lichen::mechanisms {

/// The last user message, without one the last message; of a raw prompt all. Not the conversation:
/// every long chat would look alike. Valid as long as the request.
std::string_view question(const Request& request);

}  // namespace lichen::mechanisms
