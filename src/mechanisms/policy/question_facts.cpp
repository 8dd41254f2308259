#include "mechanisms/policy/question_facts.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "base/ascii.h"

namespace lichen::mechanisms {
namespace {

using base::is_digit;
using base::is_upper;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr std::pair<std::string_view, std::string_view> kQuotes[] = {
    {"\"", "\""}, {"`", "`"}, {"\u201c", "\u201d"}, {"\u201e", "\u201c"}, {"\u00ab", "\u00bb"}};

constexpr std::string_view kNegations[] = {"no",      "not",     "never",   "none",
                                           "nothing", "nobody",  "nowhere", "neither",
                                           "nor",     "without", "cannot",  "except"};

/// Sorted.
constexpr std::string_view kCommon[] = {
    "a",     "also",  "am",     "an",    "answer", "are",   "ask",   "asking", "at",     "be",
    "been",  "by",    "can",    "could", "did",    "do",    "does",  "find",   "for",    "get",
    "give",  "good",  "had",    "has",   "have",   "hello", "help",  "here",   "hey",    "hi",
    "i",     "in",    "is",     "it",    "its",    "just",  "know",  "let",    "may",    "me",
    "might", "my",    "name",   "need",  "now",    "of",    "on",    "our",    "please", "question",
    "say",   "shall", "should", "show",  "so",     "tell",  "thank", "thanks", "that",   "the",
    "there", "these", "this",   "those", "us",     "want",  "was",   "we",     "were",   "what",
    "which", "will",  "with",   "would", "you",    "your"};
static_assert(std::ranges::is_sorted(kCommon));

/// Finds quotations, going through a text from its front.
class Quotations {
 public:
  /// What the rest of the text begins with, if that is quoted; `length`: with its marks.
  std::optional<std::string_view> at_front(std::string_view rest, std::size_t& length) {
    for (std::size_t kind = 0; kind < std::size(kQuotes); ++kind) {
      const auto& [open, close] = kQuotes[kind];
      if (unclosed_[kind] || !rest.starts_with(open)) continue;
      const std::size_t end = rest.find(close, open.size());
      if (end == std::string_view::npos) {
        unclosed_[kind] = true;  // nor do later ones close: looked for once, not at each mark
        continue;
      }
      length = end + close.size();
      return rest.substr(open.size(), end - open.size());
    }
    return std::nullopt;
  }

 private:
  std::array<bool, std::size(kQuotes)> unclosed_ = {};
};

/// Without the marks around it.
std::string_view trimmed(std::string_view word) {
  constexpr std::string_view kMarks = ".,;:!?()[]{}<>'\"*";
  while (!word.empty() && kMarks.contains(word.back())) word.remove_suffix(1);
  while (!word.empty() && kMarks.contains(word.front())) word.remove_prefix(1);
  return word;
}

bool negates(std::string_view word) {
  std::string plain;
  for (const char c : word) plain += base::to_lower(c);
  return std::ranges::find(kNegations, plain) != std::end(kNegations) || plain.ends_with("n't") ||
         plain.ends_with("n\u2019t");
}

bool tells(std::string_view word, bool begins_sentence) {
  const auto has = [word](auto test) { return std::ranges::any_of(word, test); };
  if (has(is_digit) || has([](char c) { return c == '@' || c == '/' || c == '_'; })) return true;
  if (!begins_sentence) return has(is_upper) && word != "I";
  // There a capital letter tells nothing, unless it is not the first one.
  return std::ranges::any_of(word.substr(1), is_upper);
}

/// All but the common ones.
std::vector<std::string> telling_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    while (!word.empty() && (word.back() == '.' || word.back() == '-')) word.pop_back();
    if (!word.empty() && !std::ranges::binary_search(kCommon, word)) words.push_back(word);
    word.clear();
  };
  for (const char c : text) {
    constexpr std::string_view kSigns = "@/_+*=<>%", kWithin = ".-'";
    const bool letter =
        base::is_alphanumeric(c) || static_cast<unsigned char>(c) >= 0x80;  // which may be one
    if (letter || kSigns.contains(c) || (kWithin.contains(c) && !word.empty())) {
      word += base::to_lower(c);
    } else {
      end_word();
    }
  }
  end_word();
  return words;
}

}  // namespace

std::vector<std::string> facts_of(std::string_view text, Equal equal) {
  std::vector<std::string> facts;
  const std::vector<std::string> words =
      equal == Equal::words ? telling_words(text) : std::vector<std::string>();
  Quotations quotations;
  bool begins_sentence = true;
  while (!text.empty()) {
    if (is_space(text.front())) {
      begins_sentence |= text.front() == '\n';
      text.remove_prefix(1);
      continue;
    }
    std::size_t length = 0;
    if (const auto quote = quotations.at_front(text, length)) {
      facts.emplace_back(*quote);
      text.remove_prefix(length);
      begins_sentence = false;
      continue;
    }
    const auto end = std::ranges::find_if(text, is_space);
    std::string_view piece(text.begin(), end);
    // A quote may open within a word: `name="x"`.
    for (const auto& [open, close] : kQuotes) {
      const std::size_t at = piece.find(open);
      if (at != std::string_view::npos && at > 0) piece = piece.substr(0, at);
    }
    text.remove_prefix(piece.size());
    const std::string_view word = trimmed(piece);
    if (!word.empty()) {
      if (negates(word)) {
        facts.emplace_back("not");
      } else if (tells(word, begins_sentence)) {
        facts.emplace_back(word);
      }
    }
    const char last = piece.back();
    begins_sentence = last == '.' || last == '!' || last == '?' || last == ':' ||
                      (begins_sentence && word.empty());
  }
  facts.insert(facts.end(), words.begin(), words.end());
  return facts;
}

}  // namespace lichen::mechanisms
