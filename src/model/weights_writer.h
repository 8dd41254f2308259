// Writes a GGUF model tensor by tensor, without having it in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lichen/result.h"
#include "model/gguf/metadata.h"

namespace lichen::model {

struct TensorToWrite {
  std::string name;
  const gguf::TensorType* type = nullptr;
  std::array<std::uint64_t, gguf::kMaxDimensions> shape = {1, 1, 1, 1};

  std::uint64_t elements() const { return shape[0] * shape[1] * shape[2] * shape[3]; }
  std::uint64_t bytes() const { return elements() / type->block * type->bytes; }
};

/// Writes into a file beside the target, which takes the target's name when it is whole and on the
/// disk: whoever looks sees the old file or the new one. A writer that goes before `finish`
/// takes its file with it. What fails is `storage`.
///
///     auto writer = WeightsWriter::create("out.gguf", metadata, tensors);
///     writer->write(0, 0, bytes);  // any piece of any tensor, in any order, from any thread
///     writer->finish();
class WeightsWriter {
 public:
  /// Writes the header and takes the room for all data, so that a disk which is too small is known
  /// at once. Shapes and rows must fit the types.
  static Result<WeightsWriter> create(const std::filesystem::path& target,
                                      const gguf::Metadata& metadata,
                                      const std::vector<TensorToWrite>& tensors);
  ~WeightsWriter();
  WeightsWriter(WeightsWriter&& other) noexcept;
  WeightsWriter& operator=(WeightsWriter&&) = delete;

  /// Puts `bytes` into tensor `tensor` from its byte `begin` on. Safe from any thread.
  Result<void> write(std::size_t tensor, std::uint64_t begin,
                     std::span<const std::byte> bytes) const;
  /// The last call; the file is there under its name afterwards.
  Result<void> finish();
  std::uint64_t bytes() const { return size_; }

 private:
  WeightsWriter(std::filesystem::path target, std::filesystem::path partial, int file)
      : target_(std::move(target)), partial_(std::move(partial)), file_(file) {}
  Result<void> begin(const gguf::Metadata& metadata, const std::vector<TensorToWrite>& tensors);
  Result<void> reserve() const;
  Result<void> put(std::uint64_t offset, std::span<const std::byte> bytes) const;

  std::filesystem::path target_;
  std::filesystem::path partial_;
  int file_ = -1;  // -1: nothing to be removed
  std::vector<std::uint64_t> offsets_;
  std::uint64_t size_ = 0;
};

}  // namespace lichen::model
