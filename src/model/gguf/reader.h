// Reads the header of a GGUF file in place. Every count, length and offset is held against the
// file's length; nothing is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "model/gguf/checked.h"
#include "model/gguf/format.h"

namespace lichen::model::gguf {

/// A whole regular file, mapped for reading.
class Mapping {
 public:
  static Checked<Mapping> open(const std::filesystem::path& path);
  ~Mapping();
  Mapping(Mapping&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})), file_(std::exchange(other.file_, -1)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(file_, other.file_);
    return *this;
  }

  std::string_view bytes() const { return bytes_; }
  /// Fills `out` with what stands at `offset`, past the mapping: a disk that fails, or a file that
  /// was cut short meanwhile, is an error here and a signal there. Safe from any thread.
  Checked<void> read(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  explicit Mapping(int file) : file_(file) {}
  Checked<void> map();

  std::string_view bytes_;
  int file_ = -1;
};

/// Takes values one after the other. Past the end everything is zero or empty and `cut` is true,
/// so it is enough to ask once after each record.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T number() {
    T value = {};
    const std::string_view raw = take(sizeof(T));
    if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::string_view string() { return take(number<std::uint64_t>()); }
  std::string_view take(std::uint64_t size) {
    if (size > left()) {
      cut_ = true;
      at_ = bytes_.size();
      return {};
    }
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }
  std::uint64_t left() const { return bytes_.size() - at_; }
  std::uint64_t position() const { return at_; }
  /// Everything taken since `begin`.
  std::string_view since(std::uint64_t begin) const { return bytes_.substr(begin, at_ - begin); }
  bool cut() const { return cut_; }

 private:
  std::string_view bytes_;
  std::uint64_t at_ = 0;
  bool cut_ = false;
};

/// The header points into `bytes`, which must outlive it.
Checked<Header> read_header(std::string_view bytes);

/// The strings of an array.
std::vector<std::string_view> strings(const Value& value);

}  // namespace lichen::model::gguf
