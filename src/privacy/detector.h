// Finds private values in texts.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "privacy/dictionary.h"
#include "privacy/kind.h"
#include "privacy/patterns/pattern.h"
#include "privacy/scanner.h"

namespace lichen::privacy {

struct DetectorOptions {
  KindSet kinds = KindSet().set();  // what is looked for
  std::vector<Term> dictionary = {};
  /// Where the patterns are kept once they are compiled; the dictionary is not. Empty: nowhere.
  std::filesystem::path kept = {};
};

/// Patterns with check digits and words nearby, and the user's dictionary; names, organizations and
/// places are found by the dictionary only. Made once (seconds, unless the patterns are kept), then
/// immutable and safe from any thread.
///
///   auto detector = Detector::make({.kept = usual_database_folder()});
///   auto spans = detector->find("Mail ann@example.org or call +1 212 555 0100");
class Detector {
 public:
  /// `bad_config`: a term of the dictionary, or their number; `unsupported`: see Scanner.
  static Result<Detector> make(DetectorOptions options);

  /// What is private in `text`, in its order, none overlapping (`join_overlaps`). `bad_request`:
  /// it is not UTF-8, with the byte where.
  Result<std::vector<Span>> find(std::string_view text) const;

 private:
  struct Candidate;
  struct CueAt;
  class Gathering;

  Detector() = default;

  std::vector<Pattern> patterns_;
  std::vector<CuePattern> cues_;
  std::vector<Kind> terms_;  // the dictionary's
  // None where there is nothing to look for.
  std::optional<Scanner> pattern_scanner_;  // expressions: the patterns, then the cues
  std::optional<Scanner> term_scanner_;
};

/// Spans in order of their places; those that overlap become one that covers them all, so that
/// nothing that was found is left uncovered. Its kind is the longest's; of equally long ones the
/// kind first in `Kind`.
std::vector<Span> join_overlaps(std::vector<Span> spans);

}  // namespace lichen::privacy
