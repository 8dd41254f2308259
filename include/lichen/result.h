// Errors as values: every function that can fail at run time returns Result<T>.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lichen {

/// What kind of thing went wrong; the HTTP status and OpenAI error type follow from it.
enum class Errc : std::uint8_t {
  bad_request,        // the request cannot be understood
  context_overflow,   // prompt longer than the model's context
  unsupported,        // understood, but this model or plan cannot do it
  unauthorized,       // no key, or a wrong one
  not_found,          // no such plan, model, receipt or file
  too_large,          // a body, header or message over its limit
  rate_limited,       // an upstream or our own limit; see Error::retry_after_s
  refused,            // a policy or content filter said no; never retried
  budget_exceeded,    // USD or token budget spent
  deadline_exceeded,  // the turn's deadline has passed
  cancelled,          // the client went away or asked to stop
  overloaded,         // no capacity now, try again later
  bad_model,          // a model file is missing, damaged or of an unknown kind
  bad_config,         // the configuration or a plan cannot work
  upstream,           // a remote endpoint failed
  offline,            // a remote model was needed, and this program stays offline: nothing was sent
  storage,            // disk or database failed
  internal,           // a defect of ours
};

/// Snake-case name of a code, as it stands in JSON ("context_overflow").
std::string_view to_string(Errc code);

struct Error {
  Errc code = Errc::internal;
  /// What was wrong, where, and what would be right; one line, fit for a user's eyes.
  std::string detail;
  /// Seconds after which trying again makes sense, where the other side said so.
  std::optional<double> retry_after_s = {};
};

template <class T>
using Result = std::expected<T, Error>;

/// Shorthand for `std::unexpected(Error{code, detail})`.
inline std::unexpected<Error> fail(Errc code, std::string detail) {
  return std::unexpected(Error{code, std::move(detail)});
}

}  // namespace lichen
