#include "serving/api_error.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>

namespace lichen::serving {
namespace {

namespace json = boost::json;

struct Kind {
  unsigned status;
  std::string_view type;
  std::string_view code;
};

Kind kind_of(Errc code) {
  switch (code) {
    case Errc::bad_request: return {400, "invalid_request_error", "bad_request"};
    case Errc::context_overflow: return {400, "invalid_request_error", "context_length_exceeded"};
    case Errc::unsupported: return {400, "invalid_request_error", "unsupported"};
    case Errc::unauthorized: return {401, "authentication_error", "invalid_api_key"};
    case Errc::not_found: return {404, "invalid_request_error", "not_found"};
    case Errc::too_large: return {413, "invalid_request_error", "too_large"};
    case Errc::rate_limited: return {429, "rate_limit_error", "rate_limit_exceeded"};
    case Errc::refused: return {400, "invalid_request_error", "content_filter"};
    case Errc::budget_exceeded: return {429, "insufficient_quota", "insufficient_quota"};
    case Errc::deadline_exceeded: return {504, "timeout_error", "deadline_exceeded"};
    case Errc::cancelled: return {499, "cancelled", "cancelled"};
    case Errc::overloaded: return {503, "server_error", "overloaded"};
    case Errc::upstream: return {502, "server_error", "upstream"};
    case Errc::offline: return {503, "server_error", "offline"};
    case Errc::bad_model: return {500, "server_error", "bad_model"};
    case Errc::bad_config: return {500, "server_error", "bad_config"};
    case Errc::storage: return {500, "server_error", "storage"};
    case Errc::internal: return {500, "server_error", "internal"};
  }
  return {500, "server_error", "internal"};
}

std::string body(std::string_view message, std::string_view type, std::string_view param,
                 std::string_view code) {
  json::value error = {{"message", message},
                       {"type", type},
                       {"param", param.empty() ? json::value(nullptr) : json::value(param)},
                       {"code", code}};
  return json::serialize(json::object{{"error", std::move(error)}});
}

/// Anthropic's word for an HTTP status.
std::string_view anthropic_type(unsigned status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503: return "overloaded_error";
    case 504: return "timeout_error";
    default: return status < 500 ? "invalid_request_error" : "api_error";
  }
}

std::string anthropic_body(unsigned status, std::string_view message) {
  return json::serialize(json::object{
      {"type", "error"}, {"error", {{"type", anthropic_type(status)}, {"message", message}}}});
}

}  // namespace

unsigned http_status(Errc code) { return kind_of(code).status; }

std::string_view error_type(const ApiError& error) { return kind_of(error.error.code).type; }

std::string_view error_code(const ApiError& error) {
  return error.code.empty() ? kind_of(error.error.code).code : error.code;
}

std::string error_json(const ApiError& error, ErrorForm form) {
  if (form == ErrorForm::anthropic) {
    return anthropic_body(http_status(error.error.code), error.error.detail);
  }
  return body(error.error.detail, error_type(error), error.param, error_code(error));
}

HttpResponse error_response(const ApiError& error, ErrorForm form) {
  HttpResponse response{.status = http_status(error.error.code), .body = error_json(error, form)};
  const Errc code = error.error.code;
  if (code == Errc::rate_limited || code == Errc::overloaded) {
    const double seconds = std::clamp(error.error.retry_after_s.value_or(1), 0.0, 86'400.0);
    response.headers.emplace_back("Retry-After",
                                  std::to_string(static_cast<int>(std::ceil(seconds))));
  }
  // OpenAI's clients retry each 429 and 5xx unless told otherwise.
  if (code == Errc::budget_exceeded || code == Errc::deadline_exceeded ||
      code == Errc::bad_config || code == Errc::offline) {
    response.headers.emplace_back("x-should-retry", "false");
  }
  if (code == Errc::unauthorized) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

HttpResponse error_response(unsigned status, std::string_view message, ErrorForm form) {
  const std::string_view type = status < 500 ? "invalid_request_error" : "server_error";
  std::string_view code = "bad_request";
  switch (status) {
    case 403: code = "forbidden"; break;
    case 404: code = "not_found"; break;
    case 405: code = "method_not_allowed"; break;
    case 408: code = "request_timeout"; break;
    case 413: code = "too_large"; break;
    case 417: code = "expectation_failed"; break;
    case 431: code = "header_too_large"; break;
    case 500: code = "internal"; break;
    case 503: code = "overloaded"; break;
    case 505: code = "http_version_not_supported"; break;
    default: break;
  }
  HttpResponse response{.status = status,
                        .body = form == ErrorForm::anthropic ? anthropic_body(status, message)
                                                             : body(message, type, {}, code)};
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace lichen::serving
