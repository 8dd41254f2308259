// The metadata of a GGUF file that is to be written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf/format.h"

namespace lichen::model::gguf {

/// Keys with their values, in order; owns all of it. Values of another file are carried over byte
/// for byte (ggml's own setters end texts at a NUL, which tokens may contain).
class Metadata {
 public:
  Metadata() = default;
  /// Those of a file, in the file's order.
  static Metadata copy_of(const Header& header);

  void set_text(std::string_view key, std::string_view text);
  void set_u32(std::string_view key, std::uint32_t number);
  void set_f32(std::string_view key, float number);
  void set_texts(std::string_view key, const std::vector<std::string>& texts);
  void erase(std::string_view key);
  /// All keys that begin so.
  void erase_under(std::string_view prefix);

  /// What the data of tensors are aligned to: general.alignment, or the format's default.
  std::uint64_t alignment() const;
  std::uint64_t size() const { return entries_.size(); }
  /// Keys and values as they stand in a file.
  std::string bytes() const;

 private:
  struct Entry {
    std::string key;
    std::string value;  // with its type, as in a file
  };
  void set(std::string_view key, std::string value);

  std::vector<Entry> entries_;
};

/// general.file_type of a model whose matrices are of this type; none where there is no number for
/// it.
std::optional<std::uint32_t> file_type_of(const TensorType& type);

/// A number, and a text with its length, as they stand in a file.
template <class T>
void append(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}
void append_text(std::string& out, std::string_view text);

}  // namespace lichen::model::gguf
