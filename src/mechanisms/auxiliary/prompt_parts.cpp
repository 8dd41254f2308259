#include "mechanisms/auxiliary/prompt_parts.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <ranges>

#include "base/ascii.h"
#include "base/utf8.h"
#include "mechanisms/answer_text.h"

namespace lichen::mechanisms {
namespace {

using base::is_digit;
using base::is_letter;
using base::is_lower;
using base::is_upper;

constexpr std::string_view kOpen = "<keep>", kClose = "</keep>";
constexpr std::string_view kBlanks = " \t\r", kWhite = " \t\r\n";
constexpr std::string_view kEndMarks = ".!?", kClosing = "\"')]}";

/// Where the first byte at or behind `from` stands that is not in `set`.
std::size_t skip(std::string_view text, std::size_t from, std::string_view set) {
  return std::min(text.find_first_not_of(set, from), text.size());
}

/// ``` or ~~~ where a line of code begins or ends; else nothing.
std::string_view code_mark(std::string_view line) {
  const std::string_view mark = line.substr(skip(line, 0, " "), 3);
  return mark == "```" || mark == "~~~" ? mark : std::string_view();
}

std::size_t behind_line(std::string_view text, std::size_t from) {
  return std::min(text.find('\n', from), text.size() - 1) + 1;
}

/// Where the next line at or behind `from` begins that has a mark of code, `mark` if it is given;
/// npos: nowhere.
std::size_t find_code(std::string_view text, std::size_t from, std::string_view mark = {}) {
  if (from > 0 && from < text.size() && text[from - 1] != '\n') from = behind_line(text, from);
  for (std::size_t line = from; line < text.size(); line = behind_line(text, line)) {
    const std::string_view found = code_mark(text.substr(line, kMostPartBytes));
    if (!found.empty() && (mark.empty() || found == mark)) return line;
  }
  return text.npos;
}

/// Whether the full stop at `at` belongs to the word before it: "e.g.", "Dr.", or "2." that numbers
/// a line.
bool abbreviates(std::string_view text, std::size_t at) {
  std::size_t letters = at;
  while (letters > 0 && is_letter(text[letters - 1])) --letters;
  const std::size_t count = at - letters;
  if (count == 1 || (count == 2 && is_upper(text[letters]))) return true;
  const std::size_t word = skip(text, 0, kWhite);
  return count == 0 && at > word && std::ranges::all_of(text.substr(word, at - word), is_digit);
}

/// Where the sentence ends whose mark stands at `at`, with the blanks behind it; 0: not there.
std::size_t end_behind_mark(std::string_view text, std::size_t at) {
  const std::size_t marks = skip(text, skip(text, at, kEndMarks), kClosing);
  const std::size_t next = skip(text, marks, kBlanks);
  if (next == text.size()) return next;
  if (next == marks || is_lower(text[next]) || text[next] == '\n') return 0;
  return text[at] == '.' && abbreviates(text, at) ? 0 : next;
}

bool is_wide_mark(std::string_view text, std::size_t at) {
  constexpr std::array<std::string_view, 3> kWide = {"。", "！", "？"};
  return std::ranges::find(kWide, text.substr(at, 3)) != kWide.end();
}

std::size_t cut_of_long(std::string_view room) {
  const std::size_t blank = room.find_last_of(kBlanks);
  if (blank != room.npos && blank > 0) return blank + 1;
  const std::size_t whole = base::complete_utf8_prefix(room);
  return whole > 0 ? whole : room.size();
}

/// Bytes of the first sentence or line of `text`. Looks at as many bytes as a part can have.
std::size_t first_part(std::string_view text) {
  const std::string_view room = text.substr(0, kMostPartBytes);
  for (std::size_t at = skip(room, 0, kWhite); at < room.size(); ++at) {
    if (room[at] == '\n') {  // with all blank lines, but not the indentation of what follows
      return room.find_last_of('\n', skip(room, at, kWhite) - 1) + 1;
    }
    if (kEndMarks.contains(room[at])) {
      if (const std::size_t end = end_behind_mark(room, at)) return end;
    } else if (is_wide_mark(room, at)) {
      return skip(room, at + 3, kBlanks);
    }
  }
  return text.size() <= kMostPartBytes ? text.size() : cut_of_long(room);
}

void add_sentences(std::string_view text, std::vector<PromptPart>& parts) {
  while (!text.empty()) {
    const std::size_t size = first_part(text);
    parts.push_back({.text = std::string(text.substr(0, size))});
    text.remove_prefix(size);
  }
}

/// Line breaks at the end of `text`.
std::size_t breaks(std::string_view text) {
  const std::size_t last = text.find_last_not_of(kWhite);
  return static_cast<std::size_t>(
      std::ranges::count(last == text.npos ? text : text.substr(last + 1), '\n'));
}

bool asks(const PromptPart& part) { return trimmed(part.text).ends_with('?'); }

/// How many of the first `count` parts are the question's; `behind` tells the breaks behind one of
/// them. The same for either end of a text, which is read towards its middle.
template <class Parts, class Behind>
std::size_t question_parts(const Parts& parts, std::size_t count, Behind behind) {
  std::size_t line = 0, mark = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (behind(i) > 1) return i + 1;
    if (behind(i) == 1) line = i + 1;
    if (asks(parts[i])) mark = i + 1;
  }
  if (line > 0) return line;
  return mark > 0 ? mark : std::min<std::size_t>(count, 2);
}

constexpr bool is_markup(char c) { return std::string_view("<>[]{}`|@_/\\=#").contains(c); }

bool is_negation(std::string_view word) {
  constexpr std::array<std::string_view, 7> kNegations = {"no",      "not",  "nor",   "never",
                                                          "without", "none", "cannot"};
  std::string small(word);
  for (char& c : small) c = base::to_lower(c);
  return std::ranges::find(kNegations, small) != kNegations.end() || small.ends_with("n't") ||
         small.ends_with("n’t");
}

/// Of A to Z and the capitals of Latin-1.
std::size_t capitals(std::string_view word) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const auto next = static_cast<unsigned char>(i + 1 < word.size() ? word[i + 1] : 0);
    count += is_upper(word[i]) || (word[i] == '\xC3' && next >= 0x80 && next <= 0x9E);
  }
  return count;
}

bool is_held(std::string_view word, bool first) {
  if (std::ranges::any_of(word, [](char c) { return is_digit(c) || is_markup(c); })) return true;
  const std::size_t found = capitals(word);
  if (found > 1 || (found == 1 && !first)) return true;
  const std::size_t end = word.find_last_not_of(",;:.!?\"')");
  return is_negation(word.substr(0, end == word.npos ? 0 : end + 1));
}

}  // namespace

std::vector<PromptPart> parts_of(std::string_view text) {
  std::vector<PromptPart> parts;
  const auto add_verbatim = [&](std::size_t begin, std::size_t end) {
    if (begin == end) return;
    parts.push_back({.text = std::string(text.substr(begin, end - begin)), .hold = Hold::verbatim});
  };
  const std::size_t closed = text.rfind(kClose);  // fences that open before it
  std::size_t open = text.find(kOpen), code = find_code(text, 0);
  for (std::size_t at = 0; at < text.size();) {
    if (open < at) open = text.find(kOpen, at);
    if (code < at) code = find_code(text, at);
    const std::size_t fence = closed != text.npos && open < closed ? open : text.npos;
    const std::size_t next = std::min({fence, code, text.size()});
    add_sentences(text.substr(at, next - at), parts);
    at = next;
    if (next == text.size()) break;
    if (next == fence) {
      const std::size_t inner = fence + kOpen.size();
      const std::size_t close = text.find(kClose, inner);
      add_verbatim(inner, close);
      at = close + kClose.size();
    } else {
      const std::string_view mark = code_mark(text.substr(code));
      const std::size_t last = find_code(text, behind_line(text, code), mark);
      at = last == text.npos ? text.size() : behind_line(text, last);
      add_verbatim(code, at);
    }
  }
  return parts;
}

void hold_question(std::span<PromptPart> parts) {
  constexpr std::size_t kMost = 3;
  if (parts.empty()) return;
  const std::size_t size = parts.size();
  const std::size_t count = std::clamp<std::size_t>((size - 1) / 2, 1, kMost);
  const auto behind = [&](std::size_t i) { return breaks(parts[i].text); };
  const auto before = [&](std::size_t i) {
    return i + 1 < size ? breaks(parts[size - 2 - i].text) : std::size_t{0};
  };
  const std::size_t head = question_parts(parts, count, behind);
  const std::size_t tail = question_parts(parts | std::views::reverse, count, before);
  const auto hold = [](PromptPart& part) {
    if (part.hold == Hold::none) part.hold = Hold::question;
  };
  std::ranges::for_each(parts.first(head), hold);
  std::ranges::for_each(parts.last(tail), hold);
}

std::string join_parts(std::span<const PromptPart> parts, const std::vector<bool>& stays) {
  assert(stays.size() == parts.size());
  std::string out;
  bool gap = false;
  std::size_t gap_breaks = 0, out_breaks = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string& text = parts[i].text;
    if (!stays[i] || text.empty()) {
      gap = true;
      gap_breaks = std::max(gap_breaks, breaks(text));
      continue;
    }
    if (gap && !out.empty()) {
      if (out_breaks < gap_breaks) {
        out.resize(out.find_last_not_of(kWhite) + 1);
        out.append(gap_breaks, '\n');
      } else if (!kWhite.contains(out.back()) && !kWhite.contains(text.front())) {
        out += ' ';
      }
    }
    gap = false;
    gap_breaks = 0;
    out_breaks = breaks(text);
    out += text;
  }
  return out;
}

std::vector<PromptWord> words_of(std::string_view part) {
  std::vector<PromptWord> words;
  const std::size_t last = part.find_last_not_of(kWhite);
  if (last == part.npos) return {{.bytes = part.size(), .held = true}};
  std::size_t end = last + 1;  // of the words; then the mark, then white space
  while (end > 0 && kEndMarks.contains(part[end - 1])) --end;
  for (std::size_t at = 0; at < end;) {
    const std::size_t word = skip(part, at, kWhite);
    const std::size_t next = std::min({part.find_first_of(kWhite, word), end});
    const bool breaks_line = part.substr(at, word - at).contains('\n');
    words.push_back(
        {.bytes = next - at,
         .held = breaks_line || is_held(part.substr(word, next - word), words.empty())});
    at = next;
  }
  if (end < part.size()) words.push_back({.bytes = part.size() - end, .held = true});
  return words;
}

}  // namespace lichen::mechanisms
