// OpenAI's requests as Lichen's: every field checked for type, range and meaning.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serving/api_error.h"
#include "serving/completion_call.h"

namespace lichen::serving {

inline constexpr int kMaxChoices = 8;
inline constexpr int kMaxEmbeddings = 2'048;

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
