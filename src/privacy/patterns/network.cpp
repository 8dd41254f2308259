// URLs, domains, addresses of machines.
#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <string>

#include "base/ascii.h"
#include "privacy/checksums.h"
#include "privacy/patterns/pattern.h"

namespace lichen::privacy {
namespace {

/// Without the punctuation that a sentence puts behind it, and without a parenthesis that was
/// opened in front of it. Punctuation beyond ASCII (from U+2000 on: dashes, quotes, the full width
/// forms of East Asia) ends it.
std::string_view trimmed_url(std::string_view url) {
  for (std::size_t i = 0; i + 1 < url.size(); ++i) {
    const auto lead = static_cast<unsigned char>(url[i]);
    const auto next = static_cast<unsigned char>(url[i + 1]);
    if ((lead == 0xE2 && (next == 0x80 || next == 0x81)) || (lead == 0xE3 && next == 0x80) ||
        (lead == 0xEF && (next == 0xBC || next == 0xBD))) {
      url = url.substr(0, i);
    }
  }
  const bool opens = url.find_first_of("([") != std::string_view::npos;
  while (!url.empty() &&
         (std::string_view(".,;:!?'*_").find(url.back()) != std::string_view::npos ||
          (!opens && (url.back() == ')' || url.back() == ']')))) {
    url.remove_suffix(1);
  }
  return url;
}

/// The domain that ends in the top level and path that were found; none within a longer name.
std::string_view domain(std::string_view text, std::string_view top) {
  const auto at = static_cast<std::size_t>(top.data() - text.data());
  const auto inner = [](char c) { return base::is_alphanumeric(c) || c == '-' || c == '.'; };
  std::size_t begin = at;
  while (begin > 0 && at - begin < 253 && inner(text[begin - 1])) --begin;
  while (begin < at && (text[begin] == '.' || text[begin] == '-')) ++begin;
  const std::size_t end = at + top.size();
  const bool goes_on = end + 1 < text.size() && (text[end] == '.' || text[end] == '-') &&
                       inner(text[end + 1]) && text[end + 1] != '.';
  if (begin == at || goes_on ||
      text.substr(begin, at - begin).find("..") != std::string_view::npos) {
    return {};
  }
  return trimmed_url(text.substr(begin, end - begin));
}

std::string_view ipv4(std::string_view text) {
  int part = 0;
  for (const char c : text) {
    part = c == '.' ? 0 : part * 10 + (c - '0');
    if (part > 255) return {};
  }
  return text;
}

/// An address (RFC 4291), and not a time of day, a `::` of a program or a loopback.
std::string_view ipv6(std::string_view text) {
  const auto hex = std::ranges::count_if(text, [](char c) { return c != ':' && c != '.'; });
  const bool digit = std::ranges::any_of(text, base::is_digit);
  if (hex < 4 || !digit) return {};
  boost::system::error_code error;
  boost::asio::ip::make_address_v6(std::string(text), error);
  return error ? std::string_view() : text;
}

}  // namespace

void add_network_patterns(std::vector<Pattern>& patterns) {
  using Ends = Pattern::Ends;
  // What cannot stand in a URL, nor in the path of one as people write it.
  const std::string inner = R"([^\s<>"{}|\\^`])";
  patterns.push_back({.kind = Kind::url,
                      .regex = R"(\b(?:https?|ftps?|sftp|wss?|ssh|git|s3|gs)://)" + inner + "{3,}",
                      .check = trimmed_url,
                      .ends = Ends::only_last});
  patterns.push_back({.kind = Kind::url,
                      .regex = R"(\bwww\.[a-z0-9-]{1,63}\.)" + inner + "{2,}",
                      .check = trimmed_url,
                      .ends = Ends::only_last});
  // Bare domains: top levels that are not also the ends of files' names (.py, .rs, .sh, .md, .zip).
  patterns.push_back(
      {.kind = Kind::url,
       .regex =
           R"(\.(?:com|org|net|edu|gov|mil|int|info|biz|io|ai|dev|app|online|site|shop|store|tech|cloud|xyz|eu|uk|de|fr|es|it|nl|be|ch|at|se|no|dk|fi|pt|cz|sk|hu|ro|bg|gr|hr|si|ee|lv|lt|ie|us|ca|mx|br|ar|cl|pe|uy|au|nz|jp|cn|kr|tw|hk|sg|my|th|vn|id|ph|in|pk|lk|ae|sa|il|tr|ru|ua|by|kz|za|ng|ke|eg|ma|tn|cy|is)\b(?:[/?#])" +
           inner + R"({0,})?)",
       .grow = domain,
       .ends = Ends::only_last});

  patterns.push_back({.kind = Kind::ip_address,
                      .regex = R"(\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b(?:/\d{1,2}\b)?)",
                      .check =
                          [](std::string_view text) {
                            return ipv4(text.substr(0, text.find('/'))).empty() ? std::string_view()
                                                                                : text;
                          },
                      .sides = Pattern::Sides::alone});
  patterns.push_back(
      {.kind = Kind::ip_address,
       .regex =
           R"((?:\b[0-9a-f]{1,4}|:):(?:[0-9a-f]{0,4}:){0,6}[0-9a-f]{1,4}(?:\.\d{1,3}\.\d{1,3}\.\d{1,3})?\b)",
       .check = ipv6});
  patterns.push_back(
      {.kind = Kind::mac_address,
       .regex =
           R"(\b[0-9a-f]{2}(?:(?:-[0-9a-f]{2}){5}|(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:\.[0-9a-f]{4}){2})\b)"});
}

}  // namespace lichen::privacy
