// Command line options that several commands have alike: the suite that is asked, how many requests
// are asked at once, where the figures go. What they write to must outlive the command.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/evaluation.h"

namespace lichen::cli {

/// --suite, --count, --seed and --families. Returns --suite; `suite` and `count` say what they mean
/// to the command.
CLI::Option* add_suite_options(CLI::App& command, EvaluationOptions& options,
                               const std::string& suite, const std::string& count);
CLI::Option* add_concurrency(CLI::App& command, int& concurrency,
                             const std::string& words = "Requests at once");
CLI::Option* add_json(CLI::App& command, std::string& file);

}  // namespace lichen::cli
