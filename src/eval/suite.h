// Suites: prompts with checkable answers, one JSON object a line:
//
//   {"id": "add-1-01", "family": "add", "level": 1, "prompt": "What is 2 + 3?",
//    "reference": "2 + 3 = 5", "check": "exact"}
//
// `id`, `family`, `level`, `document` and `answer` may be left out, `reference` where a model
// judges; empty lines are skipped. checks.h says which checks there are.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/checks.h"
#include "lichen/result.h"

namespace lichen::eval {

struct Task {
  std::string id = {};      // the line's number where the file gives none
  std::string family = {};  // kind of task; may be empty
  int level = 0;            // difficulty within the family; 0: not said
  std::string prompt;
  std::string document = {};  // that the prompt asks about; may be empty
  std::string reference;
  const Check* check = nullptr;  // one of checks()
  std::string answer = {};       // a right answer, where the reference is not one itself
};

struct Suite {
  std::string name;  // the file's name without folder and extension
  std::vector<Task> tasks;
};

/// `not_found`: no such file; `bad_request` names file and line; `too_large`: over 256 MiB.
Result<Suite> load_suite(const std::filesystem::path& file);

/// The same from memory. `origin` stands in errors where the file's name would.
Result<Suite> parse_suite(std::string_view jsonl, const std::filesystem::path& origin);

/// Which tasks of a suite are wanted.
struct Selection {
  std::vector<std::string> families = {};  // empty: all
  std::vector<int> levels = {};            // likewise
  std::optional<std::size_t> limit = {};   // the first so many of what is left
};
Suite selected(Suite suite, const Selection& selection);

}  // namespace lichen::eval
