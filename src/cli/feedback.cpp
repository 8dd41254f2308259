// lichen feedback: what somebody thought of an answer.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/ledger_file.h"

namespace lichen::cli {
namespace {

struct FeedbackOptions {
  std::string receipt;
  Feedback feedback;
};

int give_feedback(const FeedbackOptions& options, const Invocation& invocation) {
  const auto opened = open_ledger(invocation.config);
  if (!opened) return report_error(opened.error());
  const auto kept = (*opened)->rate(options.receipt, options.feedback);
  return kept ? int{kOk} : report_error(kept.error());
}

}  // namespace

void add_feedback(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<FeedbackOptions>();
  auto* command = app.add_subcommand("feedback", "Say how good an answer was");
  command->add_option("receipt", options->receipt, "The receipt's id")
      ->type_name("RECEIPT")
      ->required();
  command->add_option("score", options->feedback.score, "From 0, useless, to 1, right")
      ->type_name("SCORE")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->required();
  command->add_option("--comment", options->feedback.comment, "Why")->type_name("TEXT");
  command->footer(
      "The latest score of a receipt counts. Plans with `auto` learn from it.\n"
      "\n"
      "Examples:\n"
      "  lichen feedback rcpt_01J9Z3V5T8 1\n"
      "  lichen feedback rcpt_01J9Z3V5T8 0 --comment 'wrong year'");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return give_feedback(*options, invocation); };
  });
}

}  // namespace lichen::cli
