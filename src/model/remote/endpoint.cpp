#include "model/remote/endpoint.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <cstdint>
#include <cstdlib>

namespace lichen::model {

namespace {

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

bool is_port(std::string_view digits) {
  std::uint16_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc{} && stop == end && number > 0;
}

Result<std::string> read_key(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') {
    return fail(Errc::bad_config, "key_env: the environment variable " + variable +
                                      " is not set; it must hold the API key");
  }
  const std::string key = value;
  if (!std::ranges::all_of(key, [](unsigned char c) { return c > 0x20 && c < 0x7f; })) {
    return fail(Errc::bad_config,
                "key_env: the value of " + variable +
                    " holds blanks, line breaks or characters outside ASCII; an API key has none");
  }
  return key;
}

}  // namespace

Result<Endpoint> parse_endpoint(const UpstreamOptions& options, bool allow_insecure) {
  const auto bad = [&](const std::string& what) {
    return fail(Errc::bad_config, "url \"" + options.url + "\" " + what);
  };
  const auto parsed = boost::urls::parse_uri(options.url);
  if (!parsed) {
    return bad("is no url (" + parsed.error().message() +
               "); it must look like https://api.example.com/v1");
  }
  const boost::urls::url_view url = *parsed;
  Endpoint endpoint;
  if (url.scheme() != "http" && url.scheme() != "https") {
    return bad("has the scheme " + std::string(url.scheme()) + "; it must be http or https");
  }
  endpoint.host.tls = url.scheme() == "https";
  if (url.has_userinfo()) {
    // The url is not repeated: it holds a password.
    return fail(Errc::bad_config,
                "url holds a user name or password; put the API key into an environment variable "
                "and name that in key_env");
  }
  endpoint.host.name = url.host_address();
  if (endpoint.host.name.empty()) return bad("names no host");
  if (!std::ranges::all_of(endpoint.host.name,
                           [](unsigned char c) { return c > 0x20 && c < 0x7f; })) {
    return bad("names a host with characters outside ASCII; write its xn-- form");
  }
  endpoint.host.port = endpoint.host.tls ? "443" : "80";
  if (url.has_port()) {
    if (!is_port(url.port())) return bad("has no valid port; it must be 1 to 65535");
    endpoint.host.port = url.port();
  }
  if (url.has_fragment()) return bad("has a fragment (#...); leave it out");
  endpoint.authority = std::string(url.encoded_host_and_port());
  endpoint.path = std::string(url.encoded_path());
  while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  if (endpoint.path.ends_with("/completions") || endpoint.path.ends_with("/embeddings")) {
    return bad(
        "names one call of the API; it must end before it, as in https://api.example.com/v1");
  }
  if (url.has_query()) endpoint.query = "?" + std::string(url.encoded_query());

  if (options.key_env.empty()) return endpoint;
  auto key = read_key(options.key_env);
  if (!key) return std::unexpected(key.error());
  endpoint.key = std::move(*key);
  if (!endpoint.host.tls && !is_loopback(endpoint.host.name) && !allow_insecure) {
    return bad("would send the key of " + options.key_env +
               " unencrypted; use https, or set allow_insecure: true if the network is yours");
  }
  return endpoint;
}

}  // namespace lichen::model
