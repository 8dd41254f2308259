// The subcommands of `lichen bench`, a file each; `speculate` is in bench.cpp.
#pragma once

#include "cli/command.h"

namespace lichen::cli {

void add_bench_faults(CLI::App& bench, Invocation& invocation);

}  // namespace lichen::cli
