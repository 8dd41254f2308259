// OpenAI's requests as Lichen's: every field checked for type, range and meaning.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/request.h"
#include "lichen/turn.h"
#include "serving/api_error.h"

namespace lichen::serving {

/// What the configuration allows a request to ask for.
struct RequestLimits {
  int max_messages = 1'024;
  int max_tokens = 0;  // 0: the model's context
};

inline constexpr int kMaxChoices = 8;
inline constexpr int kMaxEmbeddings = 2'048;

/// A chat or text completion request.
struct CompletionCall {
  std::string model;              // a plan or model; empty: the default plan
  std::vector<Request> requests;  // one for each choice of the reply
  std::size_t per_prompt = 1;     // of them, side by side, with the same prompt
  bool chat = true;
  bool stream = false;
  bool include_usage = false;  // in the stream
  bool logprobs = false;       // in the reply
  std::string echo = {};       // text completions: what stands before the answer
  Priority priority = Priority::interactive;
  std::optional<std::chrono::milliseconds> timeout = {};
};

struct EmbeddingCall {
  std::string model;
  std::vector<std::string> texts;
  bool base64 = false;
  Priority priority = Priority::interactive;
  std::optional<std::chrono::milliseconds> timeout = {};
};

/// `bad_request` with the place where the JSON breaks, or says that it is not UTF-8, too deep, or
/// not an object.
ApiResult<boost::json::value> parse_body(std::string_view body);

/// `bad_request` with the field's name for wrong types and values, `unsupported` for what Lichen
/// understands but cannot do (images, audio). Fields it does not know are ignored.
ApiResult<CompletionCall> parse_chat(const boost::json::object& body, RequestLimits limits);
ApiResult<CompletionCall> parse_completion(const boost::json::object& body, RequestLimits limits);
ApiResult<EmbeddingCall> parse_embedding(const boost::json::object& body);

}  // namespace lichen::serving
