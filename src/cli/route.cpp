// lichen route: routers trained, calibrated and judged on what small and large made of prompts.
#include <CLI/CLI.hpp>

#include "cli/route_commands.h"

namespace lichen::cli {

void add_route(CLI::App& app, Invocation& invocation) {
  auto* route = app.add_subcommand("route", "Train, calibrate and judge routers");
  route->require_subcommand(1);
  route->footer(
      "--data is a JSONL file: prompt, small_correct, large_correct and, if you like, subject\n"
      "and features; `collect` makes one.\n"
      "\n"
      "Examples:\n"
      "  lichen route collect --small small --large large -o outcomes.jsonl\n"
      "  lichen route train --data outcomes.jsonl --router linear -o my.router\n"
      "  lichen route calibrate --router my.router --data more.jsonl --alpha 0.05 --delta 0.1\n"
      "  lichen route eval --data outcomes.jsonl --router linear --folds 5\n"
      "  lichen route risk --data outcomes.jsonl --router linear --alpha 0.05");
  add_route_collect(*route, invocation);
  add_route_train(*route, invocation);
  add_route_calibrate(*route, invocation);
  add_route_eval(*route, invocation);
  add_route_risk(*route, invocation);
}

}  // namespace lichen::cli
