#include "serving/allowed_sites.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/verb.hpp>

#include "base/ascii.h"

namespace lichen::serving {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::string_view kLocalHosts[] = {"localhost", "127.0.0.1", "[::1]"};
constexpr std::size_t kMaxAskedHeaders = 2'048;

bool is_own(std::string_view origin, std::string_view authority) {
  const auto scheme = origin.find("://");
  return scheme != origin.npos && beast::iequals(origin.substr(scheme + 3), authority);
}

bool may_ask(std::string_view origin, const AllowedSites& sites) {
  return std::ranges::any_of(sites.origins, [&](const std::string& allowed) {
    return allowed == "*" || beast::iequals(allowed, origin);
  });
}

bool is_list_of_names(std::string_view text) {
  return text.size() <= kMaxAskedHeaders && std::ranges::all_of(text, [](char c) {
           return base::is_alphanumeric(c) || std::string_view("-_, ").contains(c);
         });
}

}  // namespace

std::optional<HttpFault> check_host(const HttpRequest& header, const AllowedSites& sites,
                                    bool loopback) {
  if (sites.hosts.empty() && !loopback) return std::nullopt;
  const std::string_view name = host_name(header[http::field::host]).value_or("");
  const auto is_name = [name](std::string_view allowed) { return beast::iequals(allowed, name); };
  if (std::ranges::any_of(kLocalHosts, is_name)) return std::nullopt;
  if (std::ranges::any_of(sites.hosts, is_name)) return std::nullopt;
  return HttpFault{403,
                   "Host: this server answers to localhost, 127.0.0.1, [::1] and what `hosts` of "
                   "`serve` names"};
}

std::expected<std::string_view, HttpFault> cross_origin(const HttpRequest& header,
                                                        const AllowedSites& sites) {
  const auto field = header.find(http::field::origin);
  if (field == header.end()) return {};
  const std::string_view origin = field->value();
  if (is_own(origin, header[http::field::host])) return {};
  if (may_ask(origin, sites)) return origin;
  return std::unexpected(
      HttpFault{403, "Origin: only web pages that `origins` of `serve` names may ask this server"});
}

std::string cors_lines(std::string_view origin) {
  if (origin.empty()) return {};
  // Exposed: what a page may read of the header, beside what it always may.
  return std::string("Access-Control-Allow-Origin: ")
      .append(origin)
      .append(
          "\r\nVary: Origin\r\nAccess-Control-Expose-Headers: x-lichen-receipt, x-lichen-cache, "
          "x-request-id, Retry-After\r\n");
}

std::optional<HttpResponse> preflight_answer(const HttpRequest& header) {
  if (header.method() != http::verb::options || header.count(http::field::origin) == 0 ||
      header.count(http::field::access_control_request_method) == 0) {
    return std::nullopt;
  }
  HttpResponse answer{.content_type = "text/plain"};
  answer.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE");
  // What opens a path are keys, not which headers a page sends.
  const std::string_view asked = header[http::field::access_control_request_headers];
  if (!asked.empty() && is_list_of_names(asked)) {
    answer.headers.emplace_back("Access-Control-Allow-Headers", std::string(asked));
  }
  if (header.count("Access-Control-Request-Private-Network") > 0) {
    answer.headers.emplace_back("Access-Control-Allow-Private-Network", "true");
  }
  answer.headers.emplace_back("Access-Control-Max-Age", "600");
  return answer;
}

}  // namespace lichen::serving
