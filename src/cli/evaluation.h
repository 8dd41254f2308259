// What `eval` and `demo` share: from a suite and plans to a table, a report and files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/host.h"
#include "eval/measure.h"
#include "eval/suite.h"
#include "policy/config.h"

namespace lichen::cli {

struct EvaluationOptions {
  std::string suite = "test";  // a split of the generated suite, or a file
  std::uint64_t seed = 1;      // of the generated suite
  bool quick = false;          // of the generated suite one task of each family
  std::optional<std::size_t> limit = {};
  std::vector<std::string> families = {};
  std::vector<int> levels = {};

  std::vector<std::string> plans = {};  // empty: all plans and models of the configuration
  std::vector<std::string> large = {};  // empty: see eval::large_models
  std::string judge = {};
  int concurrency = 1;
  std::optional<int> max_tokens = {};
  bool feedback = false;

  std::string json = {};  // file, "-" for stdout, empty for none
  std::string html = {};
  std::string svg = {};

  bool journaled = false;
  std::filesystem::path journal = {};  // empty: the default place
  bool fresh = false;
};

/// Options that both commands have: --large, --suite, --concurrency and the like. `options` must
/// outlive `command`.
void add_evaluation_options(CLI::App& command, EvaluationOptions& options);

/// The generated split or the file that `options.suite` names, as far as the options want it.
Result<eval::Suite> load_suite(const EvaluationOptions& options);

/// `eval::measure` with a progress bar; Ctrl-C ends it.
Result<std::vector<eval::Outcome>> measured(Host& host, const eval::Suite& suite,
                                            eval::MeasureOptions options);

/// Measures, prints and writes; returns the exit status.
int evaluate(const EvaluationOptions& options, const Invocation& invocation, policy::Config config);

}  // namespace lichen::cli
