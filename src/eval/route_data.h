// What small and large made of prompts, one JSON object a line, for training and judging routers:
//
//   {"prompt": "What is 2 + 3?", "small_correct": true, "large_correct": true, "subject": "sums"}
//
// `subject` may be left out; so may `features`, a list of numbers of the same length on every line,
// for routers that read more than the text. `lichen route collect` also writes `small_hash` and
// `large_hash`, which weights answered, and `features_schema`, what the numbers are; where one of
// these is there, it must be the same on every line. Other keys are allowed and ignored, since such
// files come out of other tools with columns of their own. Empty lines are skipped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "mechanisms/routing/router_training.h"

namespace lichen::eval {

struct RouteData {
  std::vector<mechanisms::Example> examples = {};
  std::vector<std::string> subjects = {};  // of each; empty where not told
  std::string small_hash = {};             // LocalModel::file_hash; empty where not told,
  std::string large_hash = {};             // as are these two
  std::string features_schema = {};
  std::size_t duplicates = 0;  // examples whose prompt, but for case and blanks, stands above
  std::string hash = {};       // SHA-256 of the file's bytes, hexadecimal
};

/// `not_found`: no such file; `bad_request` names file and line; `too_large`: over 1 GiB.
Result<RouteData> load_route_data(const std::filesystem::path& file);

/// The same from memory. `origin` stands in errors where the file's name would.
Result<RouteData> parse_route_data(std::string_view jsonl, const std::filesystem::path& origin);

/// What `parse_route_data` reads as the same data.
std::string to_jsonl(const RouteData& data);

/// `bad_request` where the data does not say which small model its features are of, or they are not
/// those that this program reads.
Result<void> check_prefill_origin(const RouteData& data);

/// `bad_request` where a router must not be judged or calibrated on the data: it was trained on it,
/// or the data is of other models.
Result<void> check_unseen(const RouteData& data, const mechanisms::RouterFile& router);

/// Which of `folds` parts each example is in, 0 to folds - 1. Chosen by hash of the prompt, so that
/// equal prompts (but for case and blanks) are never in two parts.
std::vector<int> folds_by_prompt(const RouteData& data, int folds, std::uint64_t seed);

/// Whole subjects in one part, the parts about as large as each other. `bad_request` where there
/// are fewer subjects than parts. An equal prompt under two subjects goes with the first.
Result<std::vector<int>> folds_by_subject(const RouteData& data, int folds, std::uint64_t seed);

}  // namespace lichen::eval
