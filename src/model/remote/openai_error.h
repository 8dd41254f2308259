// An endpoint's refusals, typed: HTTP status and error body to Error.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lichen/result.h"

namespace lichen::model {

/// What a failure says about the endpoint. Anything but `none`: another one may well answer.
enum class Fault : std::uint8_t {
  none,         // nothing: the request, its turn or a policy is the cause
  busy,         // it asked for a pause
  failed,       // it answered with an error, badly, or not in time
  unreachable,  // there was no connection to it
};

/// An error and whether the same request may succeed if it is sent again.
struct Failure {
  Error error;
  bool retry = false;
  Fault fault = Fault::none;
  /// What it was, in words of ours alone: other requests may hear of it. Empty: the error's detail
  /// is of that kind.
  std::string cause = {};
};

/// What is known about the endpoint, for messages that say what would be right.
struct ErrorContext {
  std::string model;                // our name for it
  std::string endpoint_model = {};  // the endpoint's
  std::string url = {};
  std::string key_env = {};
  std::string key = {};  // removed from whatever the endpoint says
};

/// `status` is the response's, or for an error event within a stream the one in its body (500 where
/// it has none). `body` may be anything.
Failure read_error(int status, std::string_view body, std::string_view retry_after,
                   const ErrorContext& context);

/// Retry-After in seconds (RFC 9110, section 10.2.3): a number, or an HTTP date; not below 0.
std::optional<double> parse_retry_after(std::string_view value,
                                        std::chrono::system_clock::time_point now);

inline constexpr std::int64_t kMostTokens = 1'000'000'000;  // in one reply: more is nonsense
inline constexpr std::size_t kShortQuote = 80;              // of what makes no sense

/// What an endpoint said, fit for one line of a message: valid UTF-8, no control characters, not
/// long, and without the key.
std::string quote(std::string_view said, const std::string& key, std::size_t longest = 300);

}  // namespace lichen::model
