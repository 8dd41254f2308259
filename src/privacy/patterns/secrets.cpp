// Keys, tokens and passwords: by the prefixes that services give them, by what they are called, and
// by looking as random as they are.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/ascii.h"
#include "privacy/patterns/pattern.h"

namespace lichen::privacy {
namespace {

constexpr std::size_t kMostOfToken = 512;  // bytes; beyond that it is data, not a key

enum class Class : std::uint8_t { upper, lower, digit, symbol };

Class class_of(char c) {
  if (base::is_upper(c)) return Class::upper;
  if (base::is_lower(c)) return Class::lower;
  return base::is_digit(c) ? Class::digit : Class::symbol;
}

std::size_t count_of(std::string_view text, Class wanted) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [wanted](char c) { return class_of(c) == wanted; }));
}

/// Shannon's entropy of the bytes, in bits for each.
double entropy(std::string_view text) {
  std::array<int, 256> counts = {};
  for (const char c : text) ++counts[static_cast<std::uint8_t>(c)];
  double bits = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    const double share = count / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

/// Whether a long token is random: words and names of programs keep to one class of characters for
/// long, chance changes it at about six of ten places.
std::string_view random_token(std::string_view text) {
  constexpr double kEntropy = 3.9;  // 24 random characters of base 62 have 4.3 on average
  constexpr double kChanges = 0.42;
  if (text.size() > kMostOfToken || count_of(text, Class::digit) < 2 ||
      count_of(text, Class::upper) < 2 || count_of(text, Class::lower) < 2) {
    return {};
  }
  std::size_t changes = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (class_of(text[i]) != class_of(text[i - 1])) ++changes;
  }
  const bool random = static_cast<double>(changes) >= kChanges * static_cast<double>(text.size()) &&
                      entropy(text) >= kEntropy;
  return random ? text : std::string_view();
}

/// The long token that ends in front of the last byte of `match`, or at the end of `text`.
std::string_view token(std::string_view text, std::string_view match) {
  const auto part = [](char c) {
    return class_of(c) != Class::symbol ||
           std::string_view("+/_-=").find(c) != std::string_view::npos;
  };
  const std::size_t ends = static_cast<std::size_t>(match.data() - text.data()) + match.size();
  const std::size_t end = ends > 0 && !part(text[ends - 1]) ? ends - 1 : ends;
  std::size_t begin = end;
  while (begin > 0 && end - begin <= kMostOfToken && part(text[begin - 1])) --begin;
  return random_token(text.substr(begin, end - begin));
}

/// What is given to a name: "password: x", "api_key = 'x'", "the token is x", whose part up to the
/// sign or word was found. A name of something that holds the value, such as a variable, a call or
/// a type, is none.
std::string_view assigned(std::string_view text, std::string_view match) {
  constexpr std::string_view kQuotes = "\"'`\\";
  constexpr std::size_t kMost = 2048;
  const auto found_end = static_cast<std::size_t>(match.data() - text.data()) + match.size();
  std::size_t begin = found_end;
  while (begin < text.size() && begin - found_end < 3 &&
         std::string_view(" \t\r\n").find(text[begin]) != std::string_view::npos) {
    ++begin;
  }
  bool quoted = false;
  while (begin < text.size() && kQuotes.find(text[begin]) != std::string_view::npos) {
    quoted = true;
    ++begin;
  }
  std::string_view value = text.substr(std::min(begin, text.size()), kMost);
  value = value.substr(0, value.find_first_of(" \t\r\n\"'`<>,;"));
  while (!value.empty() &&
         std::string_view(".!?)]}\\").find(value.back()) != std::string_view::npos) {
    value.remove_suffix(1);
  }
  if (value.size() < 4 || value.find_first_of("($<{[*") != std::string_view::npos) return {};
  const bool letters = count_of(value, Class::upper) + count_of(value, Class::lower) > 0;
  const bool digits = count_of(value, Class::digit) > 0;
  const bool signs = std::ranges::any_of(value, [](char c) {
    return class_of(c) == Class::symbol && c != '.' && c != '_' && c != '-' && c != '/';
  });
  const bool mixed = digits || (letters && signs);
  return mixed || (quoted && value.size() >= 6) ? value : std::string_view();
}

/// The part behind the last blank.
std::string_view last_word(std::string_view text) {
  return text.substr(text.find_last_of(" \t") + 1);
}

}  // namespace

void add_secret_patterns(std::vector<Pattern>& patterns) {
  const auto prefixed = [&](const char* regex) {
    patterns.push_back({.kind = Kind::secret,
                        .regex = regex,
                        .ends = Pattern::Ends::only_last,
                        .match_case = true});
  };
  prefixed(R"(\bsk-[A-Za-z0-9_-]{20,})");                              // OpenAI, Anthropic
  prefixed(R"(\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}))");  // GitHub
  prefixed(R"(\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{20,})");         // GitLab
  prefixed(R"(\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}\b)");    // AWS
  prefixed(R"(\bxox[abeoprs]-[\w-]{10,})");                            // Slack
  prefixed(R"(\bxapp-\d-[\w-]{10,})");
  prefixed(R"(\bAIza[\w-]{35})");  // Google
  prefixed(R"(\bya29\.[\w-]{20,})");
  prefixed(R"(\bGOCSPX-[\w-]{20,})");
  prefixed(R"(\b(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,})");  // Stripe
  prefixed(R"(\bSG\.[\w-]{16,}\.[\w-]{16,})");                           // SendGrid
  prefixed(R"(\bnpm_[A-Za-z0-9]{36,})");
  prefixed(R"(\bpypi-[\w-]{50,})");
  prefixed(R"(\bhf_[A-Za-z0-9]{30,})");  // Hugging Face
  prefixed(R"(\bdop_v1_[a-f0-9]{64})");  // DigitalOcean
  prefixed(R"(\bAGE-SECRET-KEY-1[A-Z0-9]{58})");
  prefixed(R"(\b\d{8,10}:AA[\w-]{33})");                   // Telegram
  prefixed(R"(\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{0,})");  // JWT (RFC 7519)
  // PEM (RFC 7468), to its end or as far as it goes.
  prefixed(
      R"(-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-[^-]){0,}-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)");
  prefixed(
      R"(-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s\\:,]|[A-Za-z]-[A-Za-z]){16,})");

  const auto add = [&](const char* regex, Check check) {
    patterns.push_back(
        {.kind = Kind::secret, .regex = regex, .check = check, .ends = Pattern::Ends::only_last});
  };
  // A name and a password in a URL.
  add(R"(\b[a-z][a-z0-9+.-]{1,20}://[^\s:@/"'<>]{0,64}:[^\s@/"'<>]{1,128}@[^\s"'<>`]{1,})",
      [](std::string_view text) { return text; });
  patterns.push_back(
      {.kind = Kind::secret,
       .regex =
           R"((?:password|passwd|passphrase|passcode|pwd|passwort|kennwort|contrase(?:n|ñ)a|mot de passe|secret|token|api[ _-]?key|access[ _-]?key(?:[ _-]?id)?|secret[ _-]?key|client[ _-]?secret|auth[ _-]?key|private[ _-]?key|encryption[ _-]?key|signing[ _-]?key|account[ _-]?key|credentials?)["'\]\\]{0,3}\s{0,3}(?:[:=]{1,2}>?| is | was ))",
       .grow = assigned});
  add(R"(\b(?:bearer|basic)[ \t]{1,3}[a-z0-9._~+/-]{16,}={0,2})", [](std::string_view text) {
    const std::string_view word = last_word(text);
    return count_of(word, Class::digit) > 0 ? word : std::string_view();
  });
  add(R"(\b(?:pin|cvv2?|cvc2?|otp|security code)(?: ?(?:code|number))?(?: is|:| =)? {0,2}\d{3,8}\b)",
      last_word);
  patterns.push_back({.kind = Kind::secret,
                      .regex = R"([A-Za-z0-9+/_-]{24}={0,2}(?:[^A-Za-z0-9+/_=-]|\z))",
                      .grow = token,
                      .match_case = true,
                      .ends_only = true});
}

}  // namespace lichen::privacy
