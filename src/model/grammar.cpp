#include "model/grammar.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"

namespace lichen::model {
namespace {

using Kind = Grammar::Kind;

constexpr std::uint32_t kLastCodePoint = 0x10FFFF;
constexpr std::int32_t kUnlimited = -1;

/// Recursive descent. The first error makes `failed()` true, and everything after it ends at once.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Grammar> parse() {
    if (text_.size() > GrammarBounds::kBytes) {
      return fail(Errc::bad_request, "the grammar has " + std::to_string(text_.size()) +
                                         " bytes; at most " +
                                         std::to_string(GrammarBounds::kBytes) + " are allowed");
    }
    if (!base::valid_utf8(text_)) return fail(Errc::bad_request, "the grammar is not valid UTF-8");
    skip_space(true);
    while (!failed() && !at_end()) read_rule();
    if (!failed()) check_names();
    if (failed()) return std::unexpected(*std::move(error_));
    mark_last();
    return std::move(grammar_);
  }

 private:
  /// Part of the network with one way in and one way out: the state `out`, an open `fork`. Its
  /// states are all those from `begin` on, to the next part.
  struct Part {
    std::int32_t begin;
    std::int32_t in;
    std::int32_t out;
  };

  // --- rules ---

  void read_rule() {
    const std::size_t begin = at_;
    const std::string_view name = read_name();
    if (name.empty()) return wrong("a rule's name was expected");
    const std::int32_t rule = rule_named(name);
    skip_space(false);
    if (!text_.substr(at_).starts_with("::=")) return wrong("`::=` was expected");
    at_ += 3;
    skip_space(true);
    const Part body = read_alternatives(0);
    if (failed()) return;
    if (!at_end() && !at('\n') && !at('\r')) {
      return wrong(at(')') ? "this `)` closes nothing" : "the end of the line was expected");
    }
    auto& start = grammar_.starts[static_cast<std::size_t>(rule)];
    if (start >= 0) {
      at_ = begin;
      return wrong("the rule `" + std::string(name) + "` has been defined before");
    }
    start = body.in;
    state(body.out).kind = Kind::done;
    skip_space(true);
  }

  std::int32_t rule_named(std::string_view name) {
    const auto [found, added] =
        rules_.try_emplace(name, Rule{static_cast<std::int32_t>(rules_.size()), at_ - name.size()});
    if (added) {
      grammar_.starts.push_back(-1);
      if (rules_.size() > GrammarBounds::kRules) {
        wrong("there are more than " + std::to_string(GrammarBounds::kRules) + " rules");
      }
    }
    return found->second.number;
  }

  void check_names() {
    const auto root = rules_.find("root");
    if (root == rules_.end()) {
      error_ = Error{Errc::bad_request,
                     "the grammar has no rule named `root`, where an answer would begin"};
      return;
    }
    grammar_.root = root->second.number;
    for (const auto& [name, rule] : rules_) {
      if (grammar_.starts[static_cast<std::size_t>(rule.number)] >= 0) continue;
      at_ = rule.first_use;
      return wrong("the rule `" + std::string(name) + "` is not defined");
    }
  }

  /// Such states need no way back in a call, which keeps recursion at a rule's end flat. A part's
  /// way out comes after what leads to it, so one pass from behind finds nearly all of them.
  void mark_last() {
    for (auto it = grammar_.states.rbegin(); it != grammar_.states.rend(); ++it) {
      it->last = it->kind == Kind::done ||
                 (it->kind == Kind::fork && it->other < 0 && it->next >= 0 && state(it->next).last);
    }
  }

  // --- expressions ---

  Part read_alternatives(std::size_t depth) {
    if (depth > GrammarBounds::kNesting) {
      wrong("groups nest more than " + std::to_string(GrammarBounds::kNesting) + " deep");
      return {};
    }
    Part all = read_sequence(depth);
    while (!failed() && at('|')) {
      ++at_;
      skip_space(true);
      const Part more = read_sequence(depth);
      if (failed()) break;
      all.in = add({.next = all.in, .other = more.in});
      const std::int32_t out = add({});
      state(all.out).next = out;
      state(more.out).next = out;
      all.out = out;
    }
    return all;
  }

  Part read_sequence(std::size_t depth) {
    const std::int32_t start = add({});
    Part sequence{start, start, start};
    while (!failed()) {
      std::optional<Part> element = read_element(depth);
      if (!element) break;
      skip_space(depth > 0);
      while (!failed() && read_repetition(*element)) skip_space(depth > 0);
      if (failed()) break;
      state(sequence.out).next = element->in;
      sequence.out = element->out;
    }
    return sequence;
  }

  /// One literal, class, group or name; nothing where a sequence ends.
  std::optional<Part> read_element(std::size_t depth) {
    if (at_end() || at('|') || at(')') || at('\n') || at('\r')) return std::nullopt;
    if (at('"')) return read_literal();
    if (at('[')) return read_class();
    if (at('.')) {
      ++at_;
      return reading({{0, kLastCodePoint}});
    }
    if (at('(')) {
      const std::size_t opened = at_++;
      skip_space(true);
      const Part group = read_alternatives(depth + 1);
      if (failed()) return std::nullopt;
      if (!at(')')) {
        at_ = opened;
        wrong("this `(` is not closed");
        return std::nullopt;
      }
      ++at_;
      return group;
    }
    if (at('<') || at('!')) {
      wrong("references to tokens cannot be used; write the text itself", Errc::unsupported);
      return std::nullopt;
    }
    const std::string_view name = read_name();
    if (!name.empty()) return leading({.kind = Kind::call, .other = rule_named(name)});
    wrong(at('*') || at('+') || at('?') || at('{') ? "there is nothing here to repeat"
                                                   : "this character means nothing here");
    return std::nullopt;
  }

  Part read_literal() {
    const std::size_t opened = at_++;
    const std::int32_t start = add({});
    Part literal{start, start, start};
    while (!failed() && !at('"')) {
      if (at_end() || at('\n')) {
        at_ = opened;
        wrong("this literal is not closed");
        break;
      }
      const std::uint32_t character = read_character();
      const Part part = reading({{character, character}});
      if (failed()) break;
      state(literal.out).next = part.in;
      literal.out = part.out;
    }
    ++at_;
    return literal;
  }

  Part read_class() {
    const std::size_t opened = at_++;
    const bool negated = at('^');
    if (negated) ++at_;
    Grammar::Class ranges;
    while (!failed() && !at(']')) {
      if (at_end() || at('\n')) {
        at_ = opened;
        wrong("this class is not closed");
        return {};
      }
      const std::size_t begin = at_;
      const std::uint32_t first = read_character();
      std::uint32_t last = first;
      if (at('-') && !text_.substr(at_).starts_with("-]")) {
        ++at_;
        last = read_character();
      }
      if (first > last) {
        at_ = begin;
        wrong("this range runs backwards");
      }
      ranges.push_back({first, last});
    }
    ++at_;
    return reading(negated ? complement(normalized(std::move(ranges)))
                           : normalized(std::move(ranges)));
  }

  /// Applies `?`, `*`, `+` or `{...}`, if one stands here.
  bool read_repetition(Part& part) {
    std::int32_t min = 0;
    std::int32_t max = kUnlimited;
    if (at('?')) {
      max = 1;
    } else if (at('+')) {
      min = 1;
    } else if (at('{')) {
      const std::size_t opened = at_++;
      skip_space(false);
      min = max = read_number();
      skip_space(false);
      if (at(',')) {
        ++at_;
        skip_space(false);
        max = at('}') ? kUnlimited : read_number();
        skip_space(false);
      }
      if (failed()) return false;
      if (!at('}')) wrong("`}` was expected");
      if (max != kUnlimited && max < min) {
        at_ = opened;
        wrong("this repetition ends below its beginning");
      }
    } else if (!at('*')) {
      return false;
    }
    ++at_;
    repeat(part, min, max);
    return true;
  }

  void repeat(Part& part, std::int32_t min, std::int32_t max) {
    const auto size = static_cast<std::int32_t>(grammar_.states.size()) - part.begin;
    const std::int32_t copies = std::max(max == kUnlimited ? min : max, 1);
    if (!fits(static_cast<std::size_t>(copies) * (static_cast<std::size_t>(size) + 1) + 1)) return;
    std::vector<Part> parts{part};
    for (std::int32_t i = 1; i < copies; ++i) parts.push_back(copy(part, size));
    const std::int32_t out = add({});
    for (std::int32_t i = 0; i < copies; ++i) {
      Part& here = parts[static_cast<std::size_t>(i)];
      if (i >= min) here.in = add({.next = here.in, .other = out});
      if (max == 0) state(here.in).next = out;
      if (i > 0) state(parts[static_cast<std::size_t>(i - 1)].out).next = here.in;
    }
    const Part& end = parts.back();
    // The last copy may repeat where there is no end.
    state(end.out) = max == kUnlimited ? Grammar::State{.next = end.in, .other = out}
                                       : Grammar::State{.next = out};
    part = {part.begin, parts.front().in, out};
  }

  Part copy(const Part& part, std::int32_t size) {
    const auto begin = static_cast<std::int32_t>(grammar_.states.size());
    const std::int32_t shift = begin - part.begin;
    for (std::int32_t i = 0; i < size; ++i) {
      Grammar::State moved = state(part.begin + i);
      if (moved.next >= 0) moved.next += shift;
      if (moved.kind == Kind::fork && moved.other >= 0) moved.other += shift;
      grammar_.states.push_back(moved);
    }
    return {begin, part.in + shift, part.out + shift};
  }

  // --- states ---

  Grammar::State& state(std::int32_t index) {
    return grammar_.states[static_cast<std::size_t>(index)];
  }

  std::int32_t add(Grammar::State added) {
    if (!fits(1)) return 0;
    grammar_.states.push_back(added);
    return static_cast<std::int32_t>(grammar_.states.size()) - 1;
  }

  bool fits(std::size_t more) {
    if (grammar_.states.size() + more <= GrammarBounds::kStates || failed()) return !failed();
    wrong("the grammar is too large here: with all repetitions written out it would need " +
          std::to_string(grammar_.states.size() + more) + " states, and " +
          std::to_string(GrammarBounds::kStates) + " are allowed");
    return false;
  }

  /// A state and the open one that follows it.
  Part leading(Grammar::State first) {
    first.next = static_cast<std::int32_t>(grammar_.states.size()) + 1;
    const std::int32_t in = add(first);
    return {in, in, add({})};
  }

  Part reading(Grammar::Class ranges) {
    grammar_.classes.push_back(std::move(ranges));
    return leading(
        {.kind = Kind::read, .other = static_cast<std::int32_t>(grammar_.classes.size()) - 1});
  }

  static Grammar::Class normalized(Grammar::Class ranges) {
    std::ranges::sort(ranges, {}, &Grammar::Range::first);
    Grammar::Class merged;
    for (const Grammar::Range& range : ranges) {
      if (!merged.empty() && range.first <= merged.back().last + 1) {
        merged.back().last = std::max(merged.back().last, range.last);
      } else {
        merged.push_back(range);
      }
    }
    return merged;
  }

  static Grammar::Class complement(const Grammar::Class& ranges) {
    Grammar::Class rest;
    std::uint32_t from = 0;
    for (const Grammar::Range& range : ranges) {
      if (range.first > from) rest.push_back({from, range.first - 1});
      from = range.last + 1;
    }
    if (from <= kLastCodePoint) rest.push_back({from, kLastCodePoint});
    return rest;
  }

  // --- characters ---

  bool at_end() const { return at_ >= text_.size(); }
  bool at(char c) const { return !at_end() && text_[at_] == c; }

  void skip_space(bool newlines) {
    while (!at_end()) {
      if (at('#')) {
        at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
      } else if (at(' ') || at('\t') || (newlines && (at('\n') || at('\r')))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view read_name() {
    const auto in_name = [](char c) { return base::is_alphanumeric(c) || c == '-'; };
    const std::size_t begin = at_;
    while (!at_end() && in_name(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  std::int32_t read_number() {
    std::int32_t number = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, problem] = std::from_chars(begin, text_.data() + text_.size(), number);
    if (problem == std::errc::result_out_of_range) {
      wrong("this number is too large");
    } else if (problem != std::errc{} || number < 0) {
      wrong("a number was expected");
    }
    at_ += static_cast<std::size_t>(end - begin);
    return number;
  }

  std::uint32_t read_character() {
    if (at('\\')) return read_escape();
    if (at_end()) {
      wrong("a character was expected");
      return 0;
    }
    const auto lead = static_cast<unsigned char>(text_[at_++]);
    if (lead < 0x80) return lead;
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    std::uint32_t character = lead & (0x3FU >> more);
    for (int i = 0; i < more; ++i) {  // the text is known to be valid
      character = character << 6 | (static_cast<unsigned char>(text_[at_++]) & 0x3FU);
    }
    return character;
  }

  std::uint32_t read_escape() {
    const char kind = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    if (digits > 0) {
      std::uint32_t character = 0;
      const std::string_view hex = text_.substr(at_ + 2, digits);
      const auto [end, problem] =
          std::from_chars(hex.data(), hex.data() + hex.size(), character, 16);
      if (hex.size() < digits || end != hex.data() + digits || character > kLastCodePoint) {
        wrong("this escape needs " + std::to_string(digits) +
              " hexadecimal digits of a character, 10FFFF at most");
        return 0;
      }
      at_ += 2 + digits;
      return character;
    }
    const std::string_view plain = "trn\\\"[]-";
    const std::string_view meaning = "\t\r\n\\\"[]-";
    const std::size_t found = kind == '\0' ? plain.npos : plain.find(kind);
    if (found == plain.npos) {
      wrong(R"(unknown escape; there are \t \r \n \\ \" \[ \] \- \xHH \uHHHH \UHHHHHHHH)");
      return 0;
    }
    at_ += 2;
    return static_cast<unsigned char>(meaning[found]);
  }

  // --- errors ---

  bool failed() const { return error_.has_value(); }

  void wrong(const std::string& what, Errc code = Errc::bad_request) {
    if (failed()) return;
    const std::string_view before = text_.substr(0, at_);
    const auto line = 1 + std::ranges::count(before, '\n');
    const std::size_t column = at_ - (before.rfind('\n') + 1) + 1;
    error_ = Error{code, "the grammar, line " + std::to_string(line) + ", column " +
                             std::to_string(column) + ": " + what};
  }

  struct Rule {
    std::int32_t number;
    std::size_t first_use;  // where its name stands first
  };
  const std::string_view text_;
  std::size_t at_ = 0;
  Grammar grammar_;
  std::map<std::string_view, Rule> rules_;
  std::optional<Error> error_;
};

}  // namespace

Result<Grammar> parse_gbnf(std::string_view text) { return Parser(text).parse(); }

}  // namespace lichen::model
