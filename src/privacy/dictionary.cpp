#include "privacy/dictionary.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/utf8.h"

namespace lichen::privacy {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

Result<std::vector<Term>> parse_dictionary(std::string_view lines, std::string_view origin) {
  std::vector<Term> terms;
  for (std::size_t number = 1; !lines.empty(); ++number) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = trimmed(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.empty() || line.front() == '#') continue;
    Term term{.text = std::string(line)};
    if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      const auto kind = kind_of(trimmed(line.substr(0, colon)));
      if (!kind) {
        return fail(Errc::bad_config, std::string(origin) + ":" + std::to_string(number) +
                                          ": no such kind in front of the colon; " + "there are " +
                                          all_kind_names());
      }
      term = {.kind = *kind, .text = std::string(trimmed(line.substr(colon + 1)))};
    }
    if (const auto regex = regex_of(term); !regex) {
      return fail(Errc::bad_config,
                  std::string(origin) + ":" + std::to_string(number) + ": " + regex.error().detail);
    }
    terms.push_back(std::move(term));
  }
  return terms;
}

Result<std::string> regex_of(const Term& term) {
  const std::string_view text = trimmed(term.text);
  if (text.size() < 2 || text.size() > 200) {
    return fail(Errc::bad_config, "a term of a dictionary has 2 to 200 bytes, this one " +
                                      std::to_string(text.size()));
  }
  if (!base::valid_utf8(text)) return fail(Errc::bad_config, "a term of a dictionary is not UTF-8");
  std::string regex;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (kBlanks.find(c) != std::string_view::npos) {
      if (kBlanks.find(text[i - 1]) == std::string_view::npos) regex += "\\s+";
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x80 || base::is_alphanumeric(c) || c == '_';
    if (!plain) regex += '\\';
    regex += c;
  }
  return regex;
}

}  // namespace lichen::privacy
