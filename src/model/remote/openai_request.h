// A Request in the words of an OpenAI-compatible endpoint.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/request.h"
#include "lichen/result.h"
#include "model/remote_model.h"

namespace lichen::model {

struct OpenAiRequest {
  std::string api;   // "/chat/completions", "/completions" or "/embeddings"
  std::string body;  // JSON
};

struct RequestStyle {
  std::string model;  // the endpoint's name for it
  bool stream = false;
  std::string max_tokens_field = "max_tokens";
  Continuation continues = Continuation::none;
  bool returns_reasoning = false;
};

/// Writes only what the request sets; the endpoint's defaults stand for the rest. top_k, min_p and
/// repetition_penalty go out as the extension fields that vLLM, SGLang and llama-server read.
/// Errors: `unsupported` for what the protocol has no word for, `bad_request` for text that is not
/// UTF-8 and numbers that are not finite.
Result<OpenAiRequest> write_answer_request(const Request& request, const RequestStyle& style);

Result<OpenAiRequest> write_embedding_request(std::span<const std::string> texts,
                                              const std::string& model);

/// What the request says in such a body: all of it but the model's name, which comes first and out
/// of the configuration.
std::string_view without_model(std::string_view body, const std::string& model);

}  // namespace lichen::model
