// Messages and tools of a chat request, checked. Part of openai_request.
#pragma once

#include "lichen/request.h"
#include "serving/json_fields.h"

namespace lichen::serving {

/// Reads `messages`; errors go into `body`.
void read_messages(JsonFields& body, int max_messages, Request& request);

/// Reads `continue_final_message`, once the messages are read: the last one is not answered but
/// gone on with.
void read_continuation(JsonFields& body, Request& request);

/// Reads `tools`, `tool_choice` and `parallel_tool_calls`.
void read_tools(JsonFields& body, Request& request);

}  // namespace lichen::serving
