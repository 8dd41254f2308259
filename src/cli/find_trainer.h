// Where the program is that trains.
#pragma once

#include <filesystem>

#include "lichen/result.h"

namespace lichen::cli {

/// lichen-distill: beside this program where both are installed, below it where they were built.
/// `not_found` says how to get it.
Result<std::filesystem::path> find_trainer();

}  // namespace lichen::cli
