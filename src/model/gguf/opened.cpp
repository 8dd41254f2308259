#include "model/gguf/opened.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace lichen::model::gguf {

namespace {

/// "model-00001-of-00003.gguf" and 2: "model-00003-of-00003.gguf". Empty when `first` is not named
/// like that.
std::filesystem::path part_path(const std::filesystem::path& first, int index, int count) {
  const auto suffix = [count](int i) {
    const auto five = [](int n) {
      const std::string digits = std::to_string(n);
      return std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
    };
    return "-" + five(i + 1) + "-of-" + five(count) + ".gguf";
  };
  std::string name = first.string();
  if (!name.ends_with(suffix(0))) return {};
  name.resize(name.size() - suffix(0).size());
  return name + suffix(index);
}

Result<void> open_part(const std::filesystem::path& path, Gguf& gguf) {
  Checked<Mapping> mapping = Mapping::open(path);
  if (!mapping) return std::unexpected(file_error(path, mapping.error()));
  Checked<Header> header = read_header(mapping->bytes());
  if (!header) return std::unexpected(file_error(path, header.error()));
  gguf.bytes += mapping->bytes().size();
  if (gguf.parts.empty()) {
    gguf.header = std::move(*header);
  } else {
    const Value* number = header->find("split.no");
    if (number == nullptr || !number->is(Kind::u16) ||
        number->at<std::uint16_t>() != gguf.parts.size()) {
      return std::unexpected(file_error(path, "is not part " +
                                                  std::to_string(gguf.parts.size() + 1) +
                                                  " of its model: split.no says otherwise"));
    }
    for (Tensor& tensor : header->tensors) tensor.part = gguf.parts.size();
    std::ranges::move(header->tensors, std::back_inserter(gguf.header.tensors));
  }
  gguf.paths.push_back(path);
  gguf.parts.push_back(std::move(*mapping));
  return {};
}

}  // namespace

Error file_error(const std::filesystem::path& path, const std::string& why) {
  return {Errc::bad_model, printable(path.string()) + ": " + why};
}

Result<Gguf> open_gguf(const std::filesystem::path& path) {
  Gguf gguf;
  if (Result<void> first = open_part(path, gguf); !first) return std::unexpected(first.error());
  const Value* split = gguf.header.find("split.count");
  if (split == nullptr) return gguf;
  if (!split->is(Kind::u16)) return std::unexpected(file_error(path, "split.count must be u16"));
  const int count = split->at<std::uint16_t>();
  if (count <= 1) return gguf;
  const Value* number = gguf.header.find("split.no");
  if (number == nullptr || !number->is(Kind::u16) || number->at<std::uint16_t>() != 0 ||
      part_path(path, 0, count).empty()) {
    return std::unexpected(file_error(
        path,
        "belongs to a model of " + std::to_string(count) +
            " parts; name the first one, whose name must end in \"-00001-of-" +
            std::string("0000").substr(std::min<std::size_t>(4, std::to_string(count).size() - 1)) +
            std::to_string(count) + ".gguf\""));
  }
  for (int i = 1; i < count; ++i) {
    if (Result<void> part = open_part(part_path(path, i, count), gguf); !part) {
      return std::unexpected(part.error());
    }
  }
  return gguf;
}

}  // namespace lichen::model::gguf
