// What can go wrong below HTTP's status: kinds that decide whether trying again makes sense.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "model/remote/watchdog.h"

namespace lichen::model {

enum class HttpFault : std::uint8_t {
  bound,      // the watchdog ended it; HttpError::bound says which bound
  connect,    // no connection: name unknown, refused, unreachable
  tls,        // the handshake failed: certificate, host name, version
  reset,      // the connection broke before the response's header was complete
  cut,        // the connection broke within the body
  protocol,   // not HTTP/1.x as it may be
  too_large,  // the body is over its limit
};

struct HttpError {
  HttpFault fault;
  std::string detail;  // a clause without full stop, for the middle of a message
  Bound bound = Bound::none;
};

template <class T>
using HttpResult = std::expected<T, HttpError>;

inline std::unexpected<HttpError> http_fail(HttpFault fault, std::string detail) {
  return std::unexpected(HttpError{fault, std::move(detail)});
}

inline std::unexpected<HttpError> http_fail(Bound bound) {
  return std::unexpected(HttpError{HttpFault::bound, {}, bound});
}

}  // namespace lichen::model
