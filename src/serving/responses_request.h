// OpenAI's Responses API: requests as Lichen's, every field checked.
// https://platform.openai.com/docs/api-reference/responses
#pragma once

#include <boost/json/object.hpp>

#include "serving/api_error.h"
#include "serving/completion_call.h"

namespace lichen::serving {

/// Messages, function calls, their outputs and reasoning items. Nothing is stored between requests:
/// `previous_response_id`, `conversation` and `background` are `unsupported`, as are images, files
/// and the API's own tools.
ApiResult<CompletionCall> parse_response(const boost::json::object& body, RequestLimits limits);

}  // namespace lichen::serving
