// An error as OpenAI's clients expect it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lichen/result.h"
#include "serving/exchange.h"

namespace lichen::serving {

struct ApiError {
  Error error;
  std::string param = {};  // the offending field: "messages[2].content"; empty when there is none
  std::string_view code = {};  // OpenAI's word where it is finer than Errc; a literal
};

template <class T>
using ApiResult = std::expected<T, ApiError>;

/// The HTTP status that stands for `code`.
unsigned http_status(Errc code);

/// How an API writes its errors.
enum class ErrorForm : std::uint8_t {
  openai,     // {"error": {"message", "type", "param", "code"}}
  anthropic,  // {"type": "error", "error": {"type", "message"}}
};

/// OpenAI's words for it.
std::string_view error_type(const ApiError& error);
std::string_view error_code(const ApiError& error);
std::string error_json(const ApiError& error, ErrorForm form = ErrorForm::openai);

/// A whole response, with Retry-After where trying again makes sense.
HttpResponse error_response(const ApiError& error, ErrorForm form = ErrorForm::openai);

/// For what has an HTTP status of its own.
HttpResponse error_response(unsigned status, std::string_view message,
                            ErrorForm form = ErrorForm::openai);

}  // namespace lichen::serving
