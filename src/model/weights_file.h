// The tensors of a GGUF model, read piece by piece: what merging and training take their weights
// from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "model/gguf/opened.h"

namespace lichen::model {

/// A model (all parts of a split one) or an adapter, checked as inspect_gguf does. Immutable, hence
/// safe from any thread. Every error is `bad_model` and names the file.
class WeightsFile {
 public:
  static Result<WeightsFile> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return gguf_.paths.front(); }
  const std::vector<std::filesystem::path>& paths() const { return gguf_.paths; }
  const GgufInfo& info() const { return info_; }
  /// The metadata as they stand in the file; with the tensors in their order there.
  const gguf::Header& header() const { return gguf_.header; }
  std::span<const gguf::Tensor> tensors() const { return gguf_.header.tensors; }
  /// Null when there is none of this name.
  const gguf::Tensor* find(std::string_view name) const;

  /// Fills `out` with the tensor's data from byte `begin` on. Nothing is kept in memory.
  Result<void> read(const gguf::Tensor& tensor, std::uint64_t begin,
                    std::span<std::byte> out) const;

 private:
  WeightsFile(gguf::Gguf gguf, GgufInfo info) : gguf_(std::move(gguf)), info_(std::move(info)) {}

  gguf::Gguf gguf_;
  GgufInfo info_;
  std::map<std::string_view, const gguf::Tensor*> by_name_;
};

/// "[2048 x 256]", without the dimensions of length 1 at the end.
std::string shape_text(const gguf::Tensor& tensor);

}  // namespace lichen::model
