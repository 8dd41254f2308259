// lichen-distill train: a student learns from examples.
#pragma once

#include "cli/command.h"

namespace lichen::cli {

void add_train(CLI::App& app, Invocation& invocation);

}  // namespace lichen::cli
