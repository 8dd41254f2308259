// Which request headers are let in: those with unambiguous framing (against request smuggling).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serving/exchange.h"

namespace lichen::serving {

/// Why a request is not served, as HTTP says it.
struct HttpFault {
  unsigned status = 0;  // 0: there is nobody left to tell
  std::string detail = {};
};

/// Checks what the parser lets pass. Everything refused here leaves the framing in doubt, so the
/// connection must close. RFC 9112, sections 3.2 and 6.1, taken strictly.
std::optional<HttpFault> check_framing(const HttpRequest& header);

/// Splits "host:port" or "[::1]:port"; nothing if it is neither. The port is not returned.
std::optional<std::string_view> host_name(std::string_view authority);

}  // namespace lichen::serving
