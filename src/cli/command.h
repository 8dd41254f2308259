// What a command is: a subcommand of the CLI11 tree that, when chosen, says what to do. Nothing is
// done while arguments are being parsed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "lichen/result.h"

namespace CLI {
class App;
}

namespace lichen::cli {

enum ExitStatus : std::uint8_t {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,        // arguments or configuration
  kCancelled = 130,  // as a shell reports SIGINT
};

/// One call of the program.
struct Invocation {
  std::filesystem::path config;  // --config; empty: see find_config
  std::string command_line;      // as it was typed, for reports that say how they were made
  bool verbose = false;
  std::function<int()> action;  // set by the chosen subcommand; returns the exit status
};

void add_run(CLI::App& app, Invocation& invocation);
void add_chat(CLI::App& app, Invocation& invocation);
void add_serve(CLI::App& app, Invocation& invocation);
void add_demo(CLI::App& app, Invocation& invocation);
void add_eval(CLI::App& app, Invocation& invocation);
void add_bench(CLI::App& app, Invocation& invocation);
void add_blend(CLI::App& app, Invocation& invocation);
void add_cache(CLI::App& app, Invocation& invocation);
void add_guard(CLI::App& app, Invocation& invocation);
void add_route(CLI::App& app, Invocation& invocation);
void add_suite(CLI::App& app, Invocation& invocation);
void add_models(CLI::App& app, Invocation& invocation);
void add_privacy(CLI::App& app, Invocation& invocation);
void add_distill(CLI::App& app, Invocation& invocation);
void add_merge(CLI::App& app, Invocation& invocation);
void add_doctor(CLI::App& app, Invocation& invocation);
void add_ledger(CLI::App& app, Invocation& invocation);
void add_keys(CLI::App& app, Invocation& invocation);
void add_feedback(CLI::App& app, Invocation& invocation);
void add_completion(CLI::App& app, Invocation& invocation);

/// The exit status that stands for an error.
int exit_status(const Error& error);
/// Writes "lichen: ..." to stderr and returns the exit status.
int report_error(const Error& error);

/// `text` within single quotes of a shell.
std::string shell_quoted(std::string_view text);

/// Writes `text` and a line feed to `file`, or to stdout where it is "-".
Result<void> write_output(const std::string& file, const std::string& text);

}  // namespace lichen::cli
