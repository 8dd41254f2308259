// SHA-256, by which data, routers and weights are known again.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "lichen/result.h"

namespace lichen::base {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(std::string_view bytes);
/// In hexadecimal.
std::string sha256_hex(std::string_view bytes);

/// Which file it is, wherever it lies: SHA-256 of its size and of its pieces' hashes, hexadecimal.
/// Of a file over 64 MiB 64 pieces of 1 MiB are looked at, evenly spread: another training changes
/// all of a model, and tens of gigabytes need not be read for it. `bad_model` where it cannot be
/// read.
Result<std::string> file_identity(const std::filesystem::path& file);

}  // namespace lichen::base
