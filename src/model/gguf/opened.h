// A GGUF model whose header has been read: one file, or all parts of a split model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lichen/result.h"
#include "model/gguf/reader.h"
#include "model/gguf_file.h"

namespace lichen::model::gguf {

/// A model's header, that of all its parts together, and what keeps it readable.
struct Gguf {
  std::vector<std::filesystem::path> paths;  // of the parts
  std::vector<Mapping> parts;
  Header header;
  std::uint64_t bytes = 0;
};

/// Every error is `bad_model` and names the file.
Result<Gguf> open_gguf(const std::filesystem::path& path);

/// What inspect_gguf tells, and refuses, of a file that is open already.
Result<GgufInfo> checked_info(const Gguf& gguf);

Error file_error(const std::filesystem::path& path, const std::string& why);

}  // namespace lichen::model::gguf
