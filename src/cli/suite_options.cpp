#include "cli/suite_options.h"

namespace lichen::cli {

CLI::Option* add_suite_options(CLI::App& command, EvaluationOptions& options,
                               const std::string& suite, const std::string& count) {
  auto* named = command.add_option("--suite", options.suite, suite)
                    ->type_name("SUITE")
                    ->capture_default_str();
  auto* limit = command.add_option("--count", options.limit, count)
                    ->type_name("N")
                    ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}).description(""));
  if (options.limit) limit->capture_default_str();
  command.add_option("--seed", options.seed, "Another seed generates other tasks")
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--families", options.families, "Of a suite only these, separated by commas")
      ->type_name("NAMES")
      ->delimiter(',');
  return named;
}

CLI::Option* add_concurrency(CLI::App& command, int& concurrency, const std::string& words) {
  return command.add_option("--concurrency", concurrency, words)
      ->type_name("N")
      ->check(CLI::Range(1, 1'024).description(""))
      ->capture_default_str();
}

CLI::Option* add_json(CLI::App& command, std::string& file) {
  return command.add_option("--json", file, "Write all figures as JSON; - is stdout")
      ->type_name("FILE");
}

}  // namespace lichen::cli
