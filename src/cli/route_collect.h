// lichen route collect: what small and large make of a suite's prompts, as data for routers.
#pragma once

#include "cli/command.h"

namespace lichen::cli {

void add_route_collect(CLI::App& route, Invocation& invocation);

}  // namespace lichen::cli
