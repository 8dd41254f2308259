// A request for answers, in whichever API it came.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lichen/request.h"
#include "lichen/turn.h"

namespace lichen::serving {

/// What the configuration allows a request to ask for.
struct RequestLimits {
  int max_messages = 1'024;
  int max_tokens = 0;  // 0: the model's context
};

/// The APIs that ask for answers.
enum class Dialect : std::uint8_t {
  chat,        // OpenAI's chat completions
  completion,  // and text completions
  responses,   // and responses
  messages,    // Anthropic's messages
};

struct CompletionCall {
  std::string model;              // a plan or model; empty: the default plan
  std::vector<Request> requests;  // one for each choice of the reply
  std::size_t per_prompt = 1;     // of them, side by side, with the same prompt
  Dialect dialect = Dialect::chat;
  bool stream = false;
  bool include_usage = false;         // in the stream
  bool logprobs = false;              // in the reply
  std::string echo = {};              // text completions: what stands before the answer
  boost::json::object repeated = {};  // responses: fields that the reply says again
  Priority priority = Priority::interactive;
  std::optional<std::chrono::milliseconds> timeout = {};
};

}  // namespace lichen::serving
