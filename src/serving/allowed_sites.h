// By which names, and from which web pages, the server may be reached: against DNS rebinding and
// cross-site requests, with CORS for the pages that may ask.
#pragma once

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
/// 403 where a browser asks for a page that is neither of this server nor one that may ask.
std::optional<HttpFault> check_origin(const HttpRequest& header, const AllowedSites& sites);

/// The origin of another server's page that may ask, for Access-Control-Allow-Origin; empty where
/// none asks. Lives as long as the header.
std::string_view cross_origin(const HttpRequest& header, const AllowedSites& sites);

/// The answer to a browser that wants to know whether a page may ask, which it does before requests
/// that no plain form could send (Fetch standard, "CORS-preflight request"); nothing: it is none.
std::optional<HttpResponse> preflight_answer(const HttpRequest& header);

}  // namespace lichen::serving
