// Where files are that may be deleted at any time.
#pragma once

#include <filesystem>

namespace lichen::base {

/// $XDG_CACHE_HOME/lichen, else ~/.cache/lichen; empty where neither variable names
/// an absolute folder.
std::filesystem::path cache_folder();

}  // namespace lichen::base
