// The subcommands of `lichen distill`, each in a file of its own.
#pragma once

#include "cli/command.h"

namespace lichen::cli {

void add_distill_bench(CLI::App& distill, Invocation& invocation);
void add_distill_collect(CLI::App& distill, Invocation& invocation);
void add_distill_on_policy(CLI::App& distill, Invocation& invocation);
void add_distill_export(CLI::App& distill, Invocation& invocation);
void add_distill_promote(CLI::App& distill, Invocation& invocation);
void add_distill_train(CLI::App& distill, Invocation& invocation);
void add_distill_versions(CLI::App& distill, Invocation& invocation);
void add_distill_watch(CLI::App& distill, Invocation& invocation);

}  // namespace lichen::cli
