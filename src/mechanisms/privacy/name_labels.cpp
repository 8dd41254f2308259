#include "mechanisms/privacy/name_labels.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lichen::mechanisms {
namespace {

using privacy::Kind;
using privacy::Span;

/// A word, a character of a script without blanks, or a mark.
struct Unit {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool mark = false;
};

enum class Character : std::uint8_t { blank, mark, of_word, alone };

Character character_of(char32_t c) {
  const auto within = [c](char32_t low, char32_t high) { return c >= low && c <= high; };
  if (c <= ' ' || c == 0xA0 || c == 0x3000 || within(0x2000, 0x200B) || c == 0x2028) {
    return Character::blank;
  }
  if (c < 0x80) {
    const char32_t folded = c | 0x20;
    const bool word = within('0', '9') || (folded >= 'a' && folded <= 'z') || c == '_';
    return word ? Character::of_word : Character::mark;
  }
  const bool mark = within(0x80, 0xBF) || c == 0xD7 || c == 0xF7 || within(0x200C, 0x206F) ||
                    within(0x20A0, 0x20CF) || within(0x2190, 0x2BFF) || within(0x3001, 0x3004) ||
                    within(0x3008, 0x303F) || within(0xFF00, 0xFF0F) || within(0xFF1A, 0xFF20) ||
                    c == 0x60C || c == 0x61B || c == 0x61F || c == 0x6D4 || c == 0x964;
  if (mark) return Character::mark;
  const bool alone = within(0xE00, 0xEFF) || within(0x1000, 0x109F) || within(0x1780, 0x17FF) ||
                     within(0x2E80, 0xD7FF) || within(0xF900, 0xFAFF) || c >= 0x1F000;
  return alone ? Character::alone : Character::of_word;
}

/// The character at `at` of valid UTF-8, and the next one's place.
std::pair<char32_t, std::size_t> decode(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  constexpr std::array<unsigned char, 5> kBits = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t c = lead & kBits[length];
  const std::size_t end = std::min(at + length, text.size());
  for (std::size_t i = at + 1; i < end; ++i) {
    c = (c << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  return {c, end};
}

std::vector<Unit> units_of(std::string_view text) {
  std::vector<Unit> units;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto [c, next] = decode(text, at);
    const Character character = character_of(c);
    if (character == Character::of_word && in_word) {
      units.back().end = next;
    } else if (character != Character::blank) {
      units.push_back({.begin = at, .end = next, .mark = character == Character::mark});
    }
    in_word = character == Character::of_word;
    at = next;
  }
  return units;
}

using Scores = std::array<float, privacy::kKinds>;

/// What the tokens of a unit say of it.
struct Judgement {
  float private_ = 0;  // probability, the mean of the tokens'
  bool begins = false;
  Scores kinds = {};
};

Kind likeliest(const Scores& scores) {
  return static_cast<Kind>(std::ranges::max_element(scores) - scores.begin());
}

}  // namespace

Result<NameLabels> NameLabels::make(std::span<const std::string> labels) {
  NameLabels made;
  if (labels.empty() || labels.front() != "O") {
    return fail(Errc::bad_model, "the first label must be \"O\", for what is no name");
  }
  made.labels_.emplace_back();
  for (const std::string& label : labels.subspan(1)) {
    const bool begins = label.starts_with("B-");
    const auto kind = begins || label.starts_with("I-")
                          ? privacy::kind_of(std::string_view(label).substr(2))
                          : std::nullopt;
    if (!kind) {
      return fail(Errc::bad_model, "label \"" + label +
                                       "\" is not known; labels are B-KIND and I-KIND of " +
                                       privacy::all_kind_names());
    }
    made.labels_.push_back(Label{.kind = *kind, .begins = begins});
  }
  return made;
}

std::vector<Span> NameLabels::names(std::string_view text, std::span<const std::size_t> ends,
                                    std::span<const float> probabilities, float threshold) const {
  const auto row = [&](std::size_t token) { return probabilities.subspan(token * size(), size()); };
  const auto judge = [&](std::size_t first, std::size_t last) {
    Judgement found;
    float begin = 0, later = 0;
    for (std::size_t token = first; token <= last; ++token) {
      const auto chances = row(token);
      found.private_ += 1 - chances[0];
      for (std::size_t i = 1; i < size(); ++i) {
        found.kinds[privacy::index_of(labels_[i]->kind)] += chances[i];
        if (token == first) (labels_[i]->begins ? begin : later) += chances[i];
      }
    }
    found.private_ /= static_cast<float>(last - first + 1);
    found.begins = begin >= later;
    return found;
  };

  std::vector<Span> spans;
  Scores kinds = {};                // of the last span, when it is open
  bool open = false;                // whether the next word may go on with the last span
  bool across_mark = true;          // whether all marks behind it are part of a name
  std::size_t token = 0, next = 0;  // of a unit the first one, of the unit in front one behind it
  for (const Unit& unit : units_of(text)) {
    while (token < ends.size() && ends[token] <= unit.begin) ++token;
    std::size_t last = token;
    while (last + 1 < ends.size() && ends[last] < unit.end) ++last;
    if (token >= ends.size()) break;
    Judgement judged = judge(token, last);
    if (token < std::exchange(next, last + 1)) judged.begins = false;  // a token of both
    const bool inside = judged.private_ >= threshold;
    if (unit.mark) {
      across_mark &= inside;
      continue;
    }
    if (!inside) {
      open = false;
      continue;
    }
    if (open && across_mark && !judged.begins) {
      spans.back().end = unit.end;
    } else {
      spans.push_back({.begin = unit.begin, .end = unit.end});
      kinds = {};
    }
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] += judged.kinds[i];
    spans.back().kind = likeliest(kinds);
    open = across_mark = true;
  }
  return spans;
}

}  // namespace lichen::mechanisms
