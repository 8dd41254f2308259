// By which names, and from which web pages, the server may be reached: against DNS rebinding and
// cross-site requests, with CORS for the pages that may ask.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serving/http_guard.h"

namespace lichen::serving {

struct AllowedSites {
  /// Names that Host may have, without ports, in any case; beside them localhost, 127.0.0.1 and
  /// [::1]. Empty: those alone on a loopback address, any elsewhere.
  std::vector<std::string> hosts = {};
  /// Origins of web pages that may ask, "https://app.example.org"; "*": any.
  std::vector<std::string> origins = {};
};

/// 403 where Host has another name.
std::optional<HttpFault> check_host(const HttpRequest& header, const AllowedSites& sites,
                                    bool loopback);
/// The origin of the page of another server that a browser asks for; empty where none asks. Lives
/// as long as the header. 403: the page may not ask.
std::expected<std::string_view, HttpFault> cross_origin(const HttpRequest& header,
                                                        const AllowedSites& sites);

/// The lines of a response's header by which a page of `origin` may read it; none of an empty one.
std::string cors_lines(std::string_view origin);

/// The answer to a browser that wants to know whether a page may ask, which it does before requests
/// that no plain form could send (Fetch standard, "CORS-preflight request"); nothing: it is none.
std::optional<HttpResponse> preflight_answer(const HttpRequest& header);

}  // namespace lichen::serving
