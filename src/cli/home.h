// Where Lichen's own files are (the bundled models and their configuration), and which
// configuration a command uses.
#pragma once

#include <filesystem>

#include "lichen/result.h"

namespace lichen::cli {

/// The folder that holds examples/bundled.yaml and models/: $LICHEN_HOME if it is set, else the
/// nearest folder at or above the executable's that holds them, else the one that was chosen when
/// the program was built (PREFIX/share/lichen). `not_found` says where it was looked for.
Result<std::filesystem::path> find_home();

/// The same from given places; `env` is null or empty where the variable is not set.
Result<std::filesystem::path> find_home(const char* env, const std::filesystem::path& executable,
                                        const std::filesystem::path& installed);

/// The configuration to use: `chosen` if it is not empty, else ./lichen.yaml if it is there, else
/// the bundled one. The first must exist (`not_found`).
Result<std::filesystem::path> find_config(const std::filesystem::path& chosen);

/// examples/bundled.yaml of the home.
Result<std::filesystem::path> bundled_config();

/// examples/demo.yaml of the home.
Result<std::filesystem::path> demo_config();

}  // namespace lichen::cli
