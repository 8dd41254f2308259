// Anthropic's Messages API: requests as Lichen's, every field checked.
// https://docs.anthropic.com/en/api/messages
#pragma once

#include <boost/json/object.hpp>

#include "serving/api_error.h"
#include "serving/completion_call.h"

namespace lichen::serving {

/// Text, tool_use, tool_result and thinking blocks; a text document becomes Request::document. A
/// last message of the assistant's is gone on with. `bad_request` with the field's name,
/// `unsupported` for images, the API's own tools, and redacted thinking, which only its maker can
/// read. `cache_control`, `metadata` and `thinking` change nothing.
ApiResult<CompletionCall> parse_messages(const boost::json::object& body, RequestLimits limits);

/// A request to count the prompt's tokens: the same without `max_tokens`.
ApiResult<CompletionCall> parse_count_tokens(const boost::json::object& body, RequestLimits limits);

}  // namespace lichen::serving
