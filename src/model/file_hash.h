// SHA-256 of files, by which weights are known again.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "lichen/result.h"

namespace lichen::model {

/// Hexadecimal.
std::string sha256(std::string_view bytes);

/// Of a file's bytes, a piece at a time: a gigabyte takes a second or some. `bad_model` where it
/// cannot be read.
Result<std::string> file_sha256(const std::filesystem::path& file);

}  // namespace lichen::model
