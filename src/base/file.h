// A file by its bytes: pieces read and written where they belong, all of each or an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "lichen/result.h"

namespace lichen::base {

/// An open regular file. `read` and `write` are safe from any thread. What the system refuses is
/// `storage`, with the file's name and the reason; a file that is not there is `not_found`.
class File {
 public:
  static Result<File> open(const std::filesystem::path& path);
  /// Makes it where it is missing, and keeps what is in it.
  static Result<File> open_to_write(const std::filesystem::path& path);
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  const std::filesystem::path& path() const { return path_; }
  Result<std::uint64_t> size() const;
  /// Fills `out` with what stands from byte `begin` on; it is an error when the file ends before.
  Result<void> read(std::uint64_t begin, std::span<std::byte> out) const;
  Result<void> write(std::uint64_t begin, std::span<const std::byte> bytes) const;
  /// Makes it so long, cutting it or with zeros; room on the disk is taken where that is supported.
  Result<void> resize(std::uint64_t size) const;
  /// Returns when all that was written is on the disk.
  Result<void> sync() const;
  /// Whether this process now is the one that works on it, until the file is closed.
  bool lock() const;
  /// Gives it another name, in place of what had that name, and has that on the disk.
  Result<void> rename(const std::filesystem::path& path);

 private:
  File(std::filesystem::path path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  static Result<File> open(const std::filesystem::path& path, int flags);
  std::unexpected<Error> trouble(const char* what) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// The bytes of a plain value or a row of them.
template <class T>
std::span<const std::byte> bytes_of(const T& values) {
  if constexpr (requires { std::span(values); }) {
    return std::as_bytes(std::span(values));
  } else {
    return std::as_bytes(std::span(&values, 1));
  }
}

}  // namespace lichen::base
