// Requests that put another question in the place of the user's: a prompt of prompts/ around it.
#pragma once

#include <string>
#include <string_view>

#include "lichen/request.h"
#include "lichen/result.h"

namespace lichen::mechanisms {

/// The request with `text` in place of its question (see `question`), all else the same.
/// `unsupported`: a raw prompt, which has no question; `mechanism` is named in the message.
Result<Request> reworded(Request request, std::string text, std::string_view mechanism);

/// The same conversation and sampling asked for plain text: without the tools, the form, the
/// limits and the token ids that are meant for whoever answers the user.
Request plain_request(const Request& request);

}  // namespace lichen::mechanisms
