// The program: its tree of commands, and a call of it.
#pragma once

#include <memory>

#include "cli/command.h"

namespace lichen::cli {

/// The whole tree. Parsing sets `invocation`, which must outlive it.
std::unique_ptr<CLI::App> make_app(Invocation& invocation);

/// Parses, acts, and returns the exit status. No exception leaves it.
int run_program(int argc, const char* const* argv);

}  // namespace lichen::cli
