// The subcommands of `lichen route`, each in a file of its own.
#pragma once

#include "cli/command.h"

namespace lichen::cli {

void add_route_collect(CLI::App& route, Invocation& invocation);
void add_route_train(CLI::App& route, Invocation& invocation);
void add_route_calibrate(CLI::App& route, Invocation& invocation);
void add_route_eval(CLI::App& route, Invocation& invocation);
void add_route_risk(CLI::App& route, Invocation& invocation);

}  // namespace lichen::cli
