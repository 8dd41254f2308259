// Writing a file so that a reader sees the old one or the new one, never half of it.
#pragma once

#include <filesystem>
#include <string_view>

#include "lichen/result.h"

namespace lichen::base {

/// Writes `bytes` beside the file and renames that over it; of several at once, threads or
/// processes, the last one's stays. `storage` where it cannot: the file is then as it was.
Result<void> replace_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace lichen::base
