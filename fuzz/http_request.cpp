// The server's first look at a request: Beast's parser, our guard behind it, and what a page is
// told.
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "fuzz/input.h"
#include "serving/allowed_sites.h"
#include "serving/http_guard.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace http = boost::beast::http;
  http::request_parser<http::string_body> parser;
  parser.header_limit(16 << 10);
  parser.body_limit(64 << 10);
  parser.eager(true);
  boost::system::error_code error;
  boost::asio::const_buffer rest(data, size);
  while (!error && rest.size() > 0 && !parser.is_done()) {
    const std::size_t used = parser.put(rest, error);
    if (used == 0) break;
    rest += used;
  }
  if (!parser.is_header_done()) return 0;
  const auto& header = parser.get();
  const bool framed = !lichen::serving::check_framing(header);
  lichen::fuzz::check(!framed || header.count(http::field::host) == 1, "one Host");
  lichen::fuzz::check(!framed || header.count(http::field::content_length) +
                                         header.count(http::field::transfer_encoding) <=
                                     1,
                      "one way to tell the body's length");
  const lichen::serving::AllowedSites sites{.hosts = {"example.org"}, .origins = {"*"}};
  (void)lichen::serving::check_host(header, sites, true);
  if (const auto origin = lichen::serving::cross_origin(header, sites)) {
    lichen::fuzz::check(origin->find_first_of("\r\n") == origin->npos, "an origin is on one line");
  }
  if (const auto preflight = lichen::serving::preflight_answer(header)) {
    for (const auto& [name, value] : preflight->headers) {
      lichen::fuzz::check(value.find_first_of("\r\n") == value.npos, "a field is on one line");
    }
  }
  return 0;
}
