#include "serving/http_guard.h"

#include <algorithm>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "base/ascii.h"

namespace lichen::serving {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

HttpFault bad(std::string detail) { return {400, std::move(detail)}; }

bool all_digits(std::string_view text) { return std::ranges::all_of(text, base::is_digit); }

}  // namespace

std::optional<HttpFault> check_framing(const HttpRequest& header) {
  if (header.count(http::field::host) != 1) {
    return bad("Host: there must be exactly one");
  }
  if (!host_name(header[http::field::host])) {
    return bad("Host: must be a name or address, with or without a port");
  }
  const auto lengths = header.count(http::field::content_length);
  if (lengths > 1) return bad("Content-Length: there must be at most one");
  if (lengths == 1 && !all_digits(header[http::field::content_length])) {
    return bad("Content-Length: must be a whole number");
  }
  if (const auto encodings = header.count(http::field::transfer_encoding); encodings > 0) {
    if (encodings > 1 || !beast::iequals(header[http::field::transfer_encoding], "chunked")) {
      return bad("Transfer-Encoding: only `chunked` is understood");
    }
    if (header.version() != 11) return bad("Transfer-Encoding: needs HTTP/1.1");
    if (lengths > 0) return bad("Transfer-Encoding and Content-Length exclude each other");
  }
  const std::string_view target = header.target();
  if (!target.starts_with('/') && target != "*") {
    return bad("the request's target must be a path: this is not a proxy");
  }
  return std::nullopt;
}

std::optional<std::string_view> host_name(std::string_view authority) {
  std::size_t end = 0;
  if (authority.starts_with('[')) {
    end = authority.find(']');
    if (end == authority.npos) return std::nullopt;
    ++end;
  } else {
    end = std::min(authority.find(':'), authority.size());
  }
  const std::string_view name = authority.substr(0, end);
  const std::string_view rest = authority.substr(end);
  if (name.empty() || (!rest.empty() && (rest[0] != ':' || !all_digits(rest.substr(1))))) {
    return std::nullopt;
  }
  const bool plain = std::ranges::all_of(name, [](unsigned char c) {
    return c > ' ' && c < 0x7f &&
           std::string_view("/?#@\\,").find(static_cast<char>(c)) == std::string_view::npos;
  });
  return plain ? std::optional(name) : std::nullopt;
}

}  // namespace lichen::serving
