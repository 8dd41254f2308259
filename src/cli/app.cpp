#include "cli/app.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>

namespace lichen::cli {
namespace {

void log_to_stderr(bool verbose) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("lichen"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(verbose ? spdlog::level::debug : spdlog::level::warn);
}

/// The arguments as one would type them; the program by its name alone.
std::string command_line(int argc, const char* const* argv) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./,:=@%+";
  std::string line = "lichen";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool plain = !argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos;
    line += plain ? " " + argument : " " + shell_quoted(argument);
  }
  return line;
}

}  // namespace

std::unique_ptr<CLI::App> make_app(Invocation& invocation) {
  auto app = std::make_unique<CLI::App>("A small and a large language model that answer as one.",
                                        "lichen");
  app->set_version_flag("--version", "lichen " LICHEN_VERSION, "The program's version");
  app->set_help_flag("-h,--help", "This text; after a command, that command's");
  app->add_option("-c,--config", invocation.config,
                  "Configuration; without it ./lichen.yaml, else the bundled pair")
      ->type_name("FILE");
  app->add_flag("-v,--verbose", invocation.verbose, "Log more, to stderr");
  app->require_subcommand(1);
  app->fallthrough();  // --config is understood after the command, too
  app->get_formatter()->column_width(34);
  app->footer(
      "Examples:\n"
      "  lichen run \"What is 12 + 30?\"\n"
      "  lichen demo --quick\n"
      "  lichen serve --port 8080\n"
      "\n"
      "Exit status: 0 done, 1 failed, 2 wrong arguments or configuration, 130 cancelled.");
  add_run(*app, invocation);
  add_chat(*app, invocation);
  add_serve(*app, invocation);
  add_demo(*app, invocation);
  add_eval(*app, invocation);
  add_bench(*app, invocation);
  add_cache(*app, invocation);
  add_guard(*app, invocation);
  add_route(*app, invocation);
  add_suite(*app, invocation);
  add_models(*app, invocation);
  add_privacy(*app, invocation);
  add_distill(*app, invocation);
  add_merge(*app, invocation);
  add_blend(*app, invocation);
  add_doctor(*app, invocation);
  add_ledger(*app, invocation);
  add_keys(*app, invocation);
  add_feedback(*app, invocation);
  add_completion(*app, invocation);
  return app;
}

int run_program(int argc, const char* const* argv) try {
  // A reader that goes away (`| head`) is a failed write, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  Invocation invocation;
  invocation.command_line = command_line(argc, argv);
  const auto app = make_app(invocation);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app->exit(e) == 0 ? kOk : kUsage;  // help and version are "errors" of status 0
  }
  log_to_stderr(invocation.verbose);
  return invocation.action();
} catch (const std::exception& e) {
  return report_error({Errc::internal, std::string("a defect of Lichen: ") + e.what()});
}

}  // namespace lichen::cli
