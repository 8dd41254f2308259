// The task suite's generator. Start here: a task is a pure function of (split, seed, index), so any
// part of a suite can be made by itself, in parallel, on any machine, and is the same everywhere.
//
// This folder uses the standard library alone and the prompts of prompts/.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/tasks/task.h"

namespace lichen::eval::tasks {

inline constexpr int kLevels = 4;

struct Family {
  std::string_view name;
  std::string_view asks;  // one line for people
  Task (*make)(Maker&);
  /// How often it comes in training text, against 1 for the usual family: facts need repetition,
  /// and long texts are dear.
  double weight = 1;
  /// The prompt of prompts/ that it is asked by; empty: phrasings of its own.
  std::string_view prompt = {};
};

std::span<const Family> families();
/// Null where there is none.
const Family* find_family(std::string_view name);

struct Sample {
  std::string_view family;
  int level = 1;
  std::string prompt;
  std::string document = {};  // that the prompt asks about; mostly none
  std::string answer;         // as a model should write it
  std::string reference;  // what the check compares with: the answer, unless the check says else
  std::string_view check;
  std::vector<FollowUp> follow_ups = {};  // of training text
};

struct SampleOptions {
  Split split = Split::test;
  std::uint64_t seed = 1;
};

Sample make_sample(const SampleOptions& options, const Family& family, int level,
                   std::uint64_t index, std::vector<std::string_view>* chosen_phrasings = nullptr);

/// The question of sample `index`, worded by `wording`: the same numbers ask the same in the same
/// words, the same index with another wording mostly the same in other words. Not the question of a
/// suite of that index.
Sample reworded_sample(const SampleOptions& options, const Family& family, int level,
                       std::uint64_t index, std::uint64_t wording);

/// One family at one level.
struct FamilyLevel {
  const Family* family;
  int level;
};

/// Sample `index` of a suite over these cells. Each run of cells.size() samples has every cell
/// once, in an order of its own, so that any prefix is a fair sample.
Sample make_sample(const SampleOptions& options, std::span<const FamilyLevel> cells,
                   std::uint64_t index);

/// All cells of the families; of all families and levels where none are named.
std::vector<FamilyLevel> cells_of(std::span<const Family* const> chosen,
                                  std::span<const int> levels);

std::optional<Split> split_named(std::string_view name);
std::string_view name_of(Split split);

/// A line of a suite, without its line feed. `answer` is left out where it is the reference.
std::string to_json_line(const Sample& sample, std::string_view id);

/// The same for training, with `follow_ups`, a list of [question, answer], where there are any.
std::string to_training_line(const Sample& sample, std::string_view id);

}  // namespace lichen::eval::tasks
