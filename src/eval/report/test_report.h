// A report with something in every section, for tests.
#pragma once

#include <string>

#include "eval/report.h"

namespace lichen::eval {

/// Small is right on the first 40 of 100 tasks, large on the first 90, `plan` chooses by a score.
inline Report report_with_everything(const std::string& plan = "route") {
  Suite suite{.name = "test", .tasks = {}};
  std::vector<Outcome> outcomes;
  for (std::size_t task = 0; task < 100; ++task) {
    suite.tasks.push_back({.family = task % 2 == 0 ? "add" : "sort",
                           .level = static_cast<int>(task % 4) + 1,
                           .prompt = std::string(20 + task, 'x'),
                           .reference = "r"});
    const auto add = [&](const std::string& name, bool right, bool large) {
      Outcome outcome{.plan = name, .task = task, .right = right};
      outcome.ms = large ? 80 : 10;
      outcome.first_token_ms = large ? 20 : 3;
      outcome.busy_ms = outcome.ms;
      outcome.answer_tokens = 5;
      outcome.answer_tokens_large = large ? 5 : 0;
      outcome.asked_large = large;
      outcome.models = {large ? "large" : "small"};
      if (large) {
        outcome.usd = outcome.usd_large = 0.001;
        outcome.bytes_sent = 300;
      }
      outcomes.push_back(std::move(outcome));
      return outcomes.size() - 1;
    };
    add("small", task < 40, false);
    add("large", task < 90, true);
    const bool to_large = task >= 30;
    const auto routed = add(plan, to_large ? task < 90 : task < 40, to_large);
    outcomes[routed].choices = {
        {.mechanism = "route", .score = -static_cast<double>(task), .threshold = -29.5}};
    if (task == 99) outcomes[routed].error = "upstream";
  }
  Report report =
      make_report(suite, {"small", "large", plan},
                  {.large = {"large"}, .small_alone = "small", .large_alone = "large"}, outcomes);
  report.models = {"small", "large"};
  report.origin = {.command = "lichen eval",
                   .version = "1.2.3",
                   .date = "2026-01-02 03:04 UTC",
                   .cpu = "A processor",
                   .cores = 2,
                   .settings = {{"suite", "generated"}}};
  return report;
}

}  // namespace lichen::eval
