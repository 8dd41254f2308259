// The container of captures: named arrays behind a JSON header (the safetensors format of Hugging
// Face), which every training library reads.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"

namespace lichen::mechanisms {

/// An array of a safetensors file; little-endian, row by row.
struct ArrayInfo {
  std::string name;
  std::string type;  // "U8", "U32", "U64", "F16"
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;  // byte in the file

  std::uint64_t elements() const;
  std::uint64_t bytes() const;
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<ArrayInfo> arrays;  // in the order of their bytes, without gaps

  /// Null when there is none of this name.
  const ArrayInfo* find(std::string_view name) const;
};

/// The bytes in front of the arrays, and each array's `begin` set. A multiple of 64 of them, so
/// arrays whose sizes are in falling order are aligned.
std::string write_header(SafetensorsHeader& header);

/// Bytes of the JSON behind the first eight of a file, of which `start` is the beginning.
/// `bad_request`: this cannot be a safetensors file of `file_size` bytes.
Result<std::uint64_t> header_size(std::string_view start, std::uint64_t file_size);

/// `json`: so many bytes from the ninth on. Every array lies within the file, has a known type, and
/// the bytes that its shape says; `bad_request` says what does not fit.
Result<SafetensorsHeader> read_header(std::string_view json, std::uint64_t file_size);

}  // namespace lichen::mechanisms
