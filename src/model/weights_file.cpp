#include "model/weights_file.h"

#include <cassert>
#include <utility>

namespace lichen::model {

using namespace gguf;

Result<WeightsFile> WeightsFile::open(const std::filesystem::path& path) {
  Result<Gguf> gguf = open_gguf(path);
  if (!gguf) return std::unexpected(gguf.error());
  Result<GgufInfo> info = checked_info(*gguf);
  if (!info) return std::unexpected(info.error());
  WeightsFile file(*std::move(gguf), *std::move(info));
  for (const Tensor& tensor : file.tensors()) {
    if (!file.by_name_.emplace(tensor.name, &tensor).second) {
      return std::unexpected(file_error(
          path, "has the tensor " + quoted(tensor.name) + " in two of its parts; one must go"));
    }
  }
  return file;
}

const Tensor* WeightsFile::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

Result<void> WeightsFile::read(const Tensor& tensor, std::uint64_t begin,
                               std::span<std::byte> out) const {
  assert(begin <= tensor.bytes && out.size() <= tensor.bytes - begin);
  const Checked<void> done = gguf_.parts[tensor.part].read(tensor.offset + begin, out);
  if (done) return {};
  return std::unexpected(file_error(gguf_.paths[tensor.part], done.error()));
}

std::string shape_text(const Tensor& tensor) {
  std::size_t dimensions = kMaxDimensions;
  while (dimensions > 1 && tensor.shape[dimensions - 1] == 1) --dimensions;
  std::string text = "[" + std::to_string(tensor.shape[0]);
  for (std::size_t i = 1; i < dimensions; ++i) text += " x " + std::to_string(tensor.shape[i]);
  return text + "]";
}

}  // namespace lichen::model
