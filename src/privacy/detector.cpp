#include "privacy/detector.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"
#include "privacy/fold.h"

namespace lichen::privacy {
namespace {

// A cue says what a number is that begins within so many bytes behind it, or, of a phone, ends so
// close in front of it.
constexpr std::size_t kCueReach = 48;
constexpr std::size_t kCueBehind = 3;
// Numbers in a list are all what the first one is.
constexpr std::size_t kListGap = 8;

bool word_byte(char c) { return base::is_alphanumeric(c) || c == '_'; }

bool inside_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

/// Whether no longer number or word goes on on either side.
bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const auto digit_at = [&](std::size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
  };
  const auto joins = [](char c) { return c == '.' || c == '-' || c == '/'; };
  if (begin > 0) {
    const char before = text[begin - 1];
    if (word_byte(before) || (joins(before) && begin > 1 && digit_at(begin - 2))) return false;
  }
  if (end < text.size()) {
    const char behind = text[end];
    if (word_byte(behind) || (joins(behind) && digit_at(end + 1))) return false;
  }
  return true;
}

}  // namespace

struct Detector::Candidate {
  std::size_t pattern;
  std::size_t match_begin;  // where the match begins; its private part may begin later
  Span span;
};

struct Detector::CueAt {
  std::size_t begin;
  std::size_t end;
  Cue cue;
};

/// Takes a scan's matches and keeps what passes its own check; what stands nearby is asked when all
/// is known.
class Detector::Gathering {
 public:
  Gathering(const Detector& detector, std::string_view text)
      : detector_(detector), text_(text), open_(detector.patterns_.size()) {}

  /// Of the pattern scanner.
  void take(std::size_t expression, std::size_t begin, std::size_t end) {
    if (expression < open_.size()) {
      take_pattern(expression, begin, end);
    } else {
      cues_.push_back(
          {.begin = begin, .end = end, .cue = detector_.cues_[expression - open_.size()].cue});
    }
  }

  void take_term(std::size_t term, std::size_t begin, std::size_t end) {
    if (!word_edge(text_, begin) || !word_edge(text_, end)) return;
    spans_.push_back({.begin = begin, .end = end, .kind = detector_.terms_[term]});
  }

  std::vector<Span> finish() && {
    for (std::size_t i = 0; i < open_.size(); ++i) close(i);
    std::ranges::sort(candidates_, {}, [](const Candidate& c) { return c.span.begin; });
    std::ranges::sort(cues_, {}, &CueAt::end);
    std::optional<CueAt> list;  // the last number that a cue let pass
    for (const Candidate& candidate : candidates_) {
      const Pattern& pattern = detector_.patterns_[candidate.pattern];
      if (pattern.cue != Cue::none) {
        if (!told(pattern.cue, candidate.span, list)) continue;
        list = {.begin = candidate.span.begin, .end = candidate.span.end, .cue = pattern.cue};
      }
      spans_.push_back(candidate.span);
    }
    return join_overlaps(std::move(spans_));
  }

 private:
  void take_pattern(std::size_t index, std::size_t begin, std::size_t end) {
    const Pattern& pattern = detector_.patterns_[index];
    if (pattern.ends == Pattern::Ends::longest) {
      check(index, begin, end);
      return;
    }
    auto& open = open_[index];
    if (open && open->begin != begin) close(index);
    open = Span{.begin = begin, .end = end, .kind = pattern.kind};
  }

  void close(std::size_t index) {
    if (const auto open = std::exchange(open_[index], std::nullopt)) {
      check(index, open->begin, open->end);
    }
  }

  void check(std::size_t index, std::size_t begin, std::size_t end) {
    const Pattern& pattern = detector_.patterns_[index];
    if (pattern.sides == Pattern::Sides::alone && !stands_alone(text_, begin, end)) return;
    const std::string_view match = text_.substr(begin, end - begin);
    const std::string_view part =
        pattern.grow != nullptr ? pattern.grow(text_, match) : pattern.check(match);
    if (part.empty()) return;
    const auto at = static_cast<std::size_t>(part.data() - text_.data());
    Span span{.begin = at, .end = at + part.size(), .kind = pattern.kind};
    while (inside_character(text_, span.begin)) --span.begin;
    while (inside_character(text_, span.end)) ++span.end;
    // Ends come in rising order: a later one from the same place is longer.
    if (!candidates_.empty() && candidates_.back().pattern == index &&
        candidates_.back().match_begin == begin) {
      candidates_.back().span = span;
    } else {
      candidates_.push_back({.pattern = index, .match_begin = begin, .span = span});
    }
  }

  /// Whether what stands near a number says that it is what `wanted` says.
  bool told(Cue wanted, const Span& span, const std::optional<CueAt>& list) const {
    auto behind = std::ranges::upper_bound(cues_, span.begin, {}, &CueAt::end);
    const CueAt* nearest = nullptr;
    for (auto it = behind; it != cues_.begin() && nearest == nullptr;) {
      --it;
      if (it->cue != Cue::phone_behind) nearest = &*it;
      if (span.begin - it->end > kCueReach) break;
    }
    if (list && list->end <= span.begin && span.begin - list->end <= kListGap &&
        (nearest == nullptr || nearest->end <= list->end)) {
      nearest = &*list;
    }
    if (nearest != nullptr && span.begin - nearest->end <= kCueReach) {
      if (nearest->cue == wanted) return true;
    }
    if (wanted != Cue::phone) return false;
    for (; behind != cues_.end() && behind->end <= span.end + kCueBehind + kLongestBehind;
         ++behind) {
      if (behind->cue == Cue::phone_behind && behind->begin >= span.end &&
          behind->begin <= span.end + kCueBehind) {
        return true;
      }
    }
    return false;
  }

  static constexpr std::size_t kLongestBehind = 16;  // bytes of such a cue

  const Detector& detector_;
  const std::string_view text_;
  std::vector<std::optional<Span>> open_;  // of patterns of which only the last end is looked at
  std::vector<Candidate> candidates_;
  std::vector<CueAt> cues_;
  std::vector<Span> spans_;
};

namespace {

/// None where there are no expressions: Vectorscan compiles no empty set.
Result<std::optional<Scanner>> compile(std::span<const Expression> expressions,
                                       const std::filesystem::path& folder) {
  if (expressions.empty()) return std::nullopt;
  auto scanner = Scanner::compile(expressions, folder);
  if (!scanner) return std::unexpected(scanner.error());
  return *std::move(scanner);
}

}  // namespace

Result<Detector> Detector::make(DetectorOptions options) {
  if (options.dictionary.size() > kMostTerms) {
    return fail(Errc::bad_config, "a dictionary of " + std::to_string(options.dictionary.size()) +
                                      " terms; there may be " + std::to_string(kMostTerms));
  }
  Detector detector;
  detector.patterns_ = built_in_patterns();
  std::erase_if(detector.patterns_,
                [&](const Pattern& p) { return !options.kinds.test(index_of(p.kind)); });
  // A nearer cue of another kind counts against a number, so all are needed as soon as one is.
  if (std::ranges::any_of(detector.patterns_,
                          [](const Pattern& p) { return p.cue != Cue::none; })) {
    detector.cues_ = cue_patterns();
  }
  std::vector<Expression> expressions;
  for (const Pattern& pattern : detector.patterns_) {
    expressions.push_back(
        {.regex = pattern.regex, .match_case = pattern.match_case, .ends_only = pattern.ends_only});
  }
  for (const CuePattern& cue : detector.cues_) {
    // Where a word begins counts only if it stands behind the number.
    expressions.push_back({.regex = cue.regex, .ends_only = cue.cue != Cue::phone_behind});
  }
  std::vector<Expression> terms;
  for (const Term& term : options.dictionary) {
    if (!options.kinds.test(index_of(term.kind))) continue;
    auto regex = regex_of(term);
    if (!regex) return std::unexpected(regex.error());
    terms.push_back({.regex = *std::move(regex), .utf8 = true});
    detector.terms_.push_back(term.kind);
  }
  auto pattern_scanner = compile(expressions, options.kept);
  if (!pattern_scanner) return std::unexpected(pattern_scanner.error());
  detector.pattern_scanner_ = *std::move(pattern_scanner);
  // The user's own words are written nowhere.
  auto term_scanner = compile(terms, {});
  if (!term_scanner) return std::unexpected(term_scanner.error());
  detector.term_scanner_ = *std::move(term_scanner);
  return detector;
}

Result<std::vector<Span>> Detector::find(std::string_view text) const {
  if (const std::size_t valid = base::valid_utf8_prefix(text); valid < text.size()) {
    return fail(Errc::bad_request,
                "a text that is to be masked is not UTF-8 at byte " + std::to_string(valid));
  }
  Gathering gathering(*this, text);
  if (pattern_scanner_) {
    const auto scanned = pattern_scanner_->scan(
        text, [&](std::size_t expression, std::size_t begin, std::size_t end) {
          gathering.take(expression, begin, end);
        });
    if (!scanned) return std::unexpected(scanned.error());
  }
  if (term_scanner_) {
    const auto scanned =
        term_scanner_->scan(text, [&](std::size_t term, std::size_t begin, std::size_t end) {
          gathering.take_term(term, begin, end);
        });
    if (!scanned) return std::unexpected(scanned.error());
  }
  return std::move(gathering).finish();
}

std::vector<Span> join_overlaps(std::vector<Span> spans) {
  std::ranges::sort(spans, {}, &Span::begin);
  std::vector<Span> joined;
  std::size_t longest = 0;  // bytes of the one that gave the last of `joined` its kind
  for (const Span& span : spans) {
    const std::size_t bytes = span.end - span.begin;
    if (joined.empty() || span.begin >= joined.back().end) {
      joined.push_back(span);
      longest = bytes;
      continue;
    }
    Span& last = joined.back();
    last.end = std::max(last.end, span.end);
    if (bytes > longest || (bytes == longest && span.kind < last.kind)) {
      last.kind = span.kind;
      longest = bytes;
    }
  }
  return joined;
}

}  // namespace lichen::privacy
