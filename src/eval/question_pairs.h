// Pairs of questions of which it is known whether one answer is right for both: what a cache's
// threshold is chosen on. One JSON object a line:
//
//   {"a": "What is the colour of Kelvo?", "b": "Kelvo: colour?", "same": true}
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "eval/tasks/sample.h"
#include "lichen/result.h"

namespace lichen::eval {

struct QuestionPair {
  std::string a;
  std::string b;
  bool same = false;
};

struct QuestionPairs {
  std::vector<QuestionPair> pairs;
  std::string data_hash;  // SHA-256 of the file, hexadecimal
};

/// `not_found`: no such file; `bad_request` names file and line; `too_large`: over 64 MiB.
Result<QuestionPairs> load_pairs(const std::filesystem::path& file);

/// A line, without its line feed.
std::string to_json_line(const QuestionPair& pair);

/// Pair `index` of the suite's own: of one family and level, as the cells take turns. Half of them
/// are one task in two wordings of the split. The other half are two tasks with different answers,
/// of which the second is that of 24 whose question has most words in common with the first's: such
/// as a cache would find nearest. No task is in two pairs. Families that are asked by a prompt of
/// prompts/, or that have one wording only, have none.
std::vector<QuestionPair> generated_pairs(const tasks::SampleOptions& options, std::size_t count);

}  // namespace lichen::eval
