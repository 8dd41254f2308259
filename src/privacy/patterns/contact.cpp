// E-mail addresses and phone numbers.
#include <algorithm>

#include "base/ascii.h"
#include "privacy/checksums.h"
#include "privacy/patterns/pattern.h"

namespace lichen::privacy {
namespace {

using base::is_digit;

/// How many stretches of digits there are.
std::size_t groups(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_digit(text[i]) && (i == 0 || !is_digit(text[i - 1]))) ++count;
  }
  return count;
}

/// 12-03-2024, 2024-03-12, 1.2.2024: a day and not a number to call.
bool looks_like_date(std::string_view text) {
  if (groups(text) != 3) return false;
  std::array<int, 3> parts = {};
  std::array<int, 3> lengths = {};
  std::size_t part = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      parts[part] = parts[part] % 10'000 * 10 + (text[i] - '0');
      ++lengths[part];
    } else if (i > 0 && is_digit(text[i - 1])) {
      ++part;
    }
  }
  const auto day_month = [](int a, int b) {
    return (a >= 1 && a <= 31 && b >= 1 && b <= 12) || (b >= 1 && b <= 31 && a >= 1 && a <= 12);
  };
  const auto year = [](int y) { return y >= 1900 && y <= 2100; };
  if (lengths[2] == 4 && lengths[0] <= 2 && lengths[1] <= 2) {
    return year(parts[2]) && day_month(parts[0], parts[1]);
  }
  return lengths[0] == 4 && lengths[1] <= 2 && lengths[2] <= 2 && year(parts[0]) &&
         day_month(parts[1], parts[2]);
}

/// Bytes of the letter beyond ASCII at `at`, of an alphabet that addresses are written in (Latin,
/// Greek, Cyrillic and their neighbours: two bytes each, from U+00C0 on); 0 where there is none.
std::size_t letter_beyond_ascii(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  return lead >= 0xC3 && lead <= 0xDF && at + 1 < text.size() ? 2 : 0;
}

/// Bytes of `text` that are a domain: two labels at least, none empty, the last of 2 to 24 letters
/// or in Punycode; 0 where there is none. 253 bytes at most.
std::size_t domain_length(std::string_view text) {
  constexpr std::size_t kMost = 253;
  text = text.substr(0, kMost);
  std::size_t length = 0, label = 0;
  int labels = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool wide = i < text.size() && static_cast<unsigned char>(text[i]) >= 0x80;
    if (wide && letter_beyond_ascii(text, i) == 2) {
      ++i;
      continue;
    }
    if (i < text.size() && !wide && text[i] != '.') continue;
    if (i == label) break;  // an empty label
    // The top level, if the domain ends here; a hyphen may follow it in a sentence.
    const std::string_view top = text.substr(label, i - label);
    const std::size_t letters =
        static_cast<std::size_t>(std::ranges::find_if_not(top, base::is_letter) - top.begin());
    const bool whole = letters == top.size() || top[letters] == '-';
    if (labels > 0 && top.starts_with("xn--")) {
      length = i;
    } else if (labels > 0 && whole && letters >= 2 && letters <= 24) {
      length = label + letters;
    }
    ++labels;
    label = i + 1;
    if (wide) break;
  }
  return length;
}

/// Bytes in front of `at` that are the local part of an address: 64 at most (RFC 5321). It ends,
/// going backwards, at what must be quoted and at scripts that put no blanks between words. Letters
/// beyond ASCII may be in it (RFC 6531).
std::size_t local_length(std::string_view text, std::size_t at) {
  constexpr std::string_view kOutside = "@<>()[]{},;:\"`\\|/=*!?#&%$^~";
  std::size_t begin = at;
  while (begin > 0 && at - begin < 64) {
    const auto before = static_cast<unsigned char>(text[begin - 1]);
    if (before < 0x80) {
      if (before <= ' ' || kOutside.find(text[begin - 1]) != std::string_view::npos) break;
      --begin;
    } else if (begin > 1 && letter_beyond_ascii(text, begin - 2) == 2) {
      begin -= 2;
    } else {
      break;
    }
  }
  while (begin < at && (text[begin] == '.' || text[begin] == '\'')) ++begin;
  return at - begin;
}

/// The address whose @ and domain were found.
std::string_view email(std::string_view text, std::string_view match) {
  const auto at = static_cast<std::size_t>(match.data() - text.data());
  const std::size_t local = local_length(text, at);
  const std::size_t domain = domain_length(match.substr(1));
  if (local == 0 || domain == 0) return {};
  return text.substr(at - local, local + 1 + domain);
}

/// "ann [at] example [dot] org", whose part from "[at]" on was found.
std::string_view spelled_email(std::string_view text, std::string_view match) {
  const auto at = static_cast<std::size_t>(match.data() - text.data());
  const std::size_t end_of_local = at > 0 && text[at - 1] == ' ' ? at - 1 : at;
  const std::size_t local = local_length(text, end_of_local);
  if (local == 0) return {};
  const std::size_t begin = end_of_local - local;
  return text.substr(begin, at + match.size() - begin);
}

/// Digits of the number itself, without its extension.
std::size_t digits_to_dial(std::string_view text) {
  return Digits(text.substr(0, text.find_first_of("xXeE"))).size();
}

template <std::size_t least, std::size_t most>
std::string_view phone(std::string_view text) {
  const std::size_t count = digits_to_dial(text);
  return count >= least && count <= most && !looks_like_date(text) ? text : std::string_view();
}

/// A national number with its trunk zero, told by its groups: two at least behind an area code in
/// parentheses, three otherwise.
std::string_view trunk_phone(std::string_view text) {
  const bool told = text.front() == '(' || groups(text) >= 3;
  return told ? phone<9, 11>(text) : std::string_view();
}

}  // namespace

void add_contact_patterns(std::vector<Pattern>& patterns) {
  patterns.push_back({.kind = Kind::email,
                      .regex = R"(@[a-z0-9\x80-\xff.-]{3,})",
                      .grow = email,
                      .ends = Pattern::Ends::only_last});
  patterns.push_back(
      {.kind = Kind::email,
       .regex = R"([\[({] ?at ?[\])}] ?[\w-]+(?:\.[\w-]+|(?: ?[\[({] ?dot ?[\])}] ?[\w-]+))+\b)",
       .grow = spelled_email,
       .ends = Pattern::Ends::only_last});

  const std::string extension = R"((?:[ ,]{0,2}(?:x|ext\.?|extension)[ .:]{0,2}\d{1,6})?)";
  const auto add = [&](const std::string& regex, Check check, Cue cue = Cue::none) {
    patterns.push_back({.kind = Kind::phone,
                        .regex = regex + extension,
                        .check = check,
                        .cue = cue,
                        .sides = Pattern::Sides::alone});
  };
  // International (E.123): + or 00, country, the rest in groups; "(0)" is not dialled from abroad.
  add(R"((?:\+|\b00)[1-9]\d{0,2}[ .-]?(?:\(\d{1,5}\)[ .-]?)?\d{1,12}(?:[ ./-]\d{1,9}){0,6})",
      phone<7, 16>);
  // North America.
  add(R"((?:\b1[ .-])?(?:\([2-9]\d{2}\)[ -]?|\b[2-9]\d{2}[.-])\d{3}[ .-]\d{4})", phone<10, 11>);
  // Other countries, with the trunk zero, or with the area in parentheses.
  add(R"((?:\b0\d{1,4}|\(0\d{1,4}\))(?:[ ./-]{1,2}\d{2,8}){1,4})", trunk_phone);
  add(R"(\(\d{2,3}\) ?9?\d{4}[ -]\d{4})", phone<10, 12>);
  // Whatever is called a phone number.
  add(R"((?:\(\d{1,5}\) ?|\b)\d{1,5}(?:[ .\/-]{1,2}\d{2,8}){0,5})", phone<6, 13>, Cue::phone);
  add(R"(\b\d{7,13})", phone<7, 13>, Cue::phone);
}

}  // namespace lichen::privacy
