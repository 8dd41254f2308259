#include "model/label_head.h"

#include <cmath>

#include "model/gguf/opened.h"
#include "model/gguf/typed.h"

namespace lichen::model {
namespace {

using gguf::Kind;
using gguf::Value;

constexpr std::uint64_t kMostLabels = 1'024;
constexpr std::uint32_t kLongestWindow = 8'192;

/// A key of an array with `count` elements, if `count` is not 0.
Result<const Value*> array(const gguf::Gguf& file, std::string_view key, Kind kind,
                           std::uint64_t count) {
  const Value* value = file.header.find(key);
  const std::string name(key);
  if (value == nullptr) {
    return std::unexpected(
        gguf::file_error(file.paths.front(), "it has no key `" + name +
                                                 "`, so it is no model that finds names; "
                                                 "lichen-names.gguf is one"));
  }
  if (!value->is_array_of(kind) || (count != 0 && value->count != count)) {
    return std::unexpected(gguf::file_error(
        file.paths.front(), "key `" + name + "` is " + value->type_name() + " x " +
                                std::to_string(value->count) + "; it must be an array of " +
                                std::string(gguf::facts(kind).name) +
                                (count != 0 ? " x " + std::to_string(count) : "")));
  }
  return value;
}

Result<std::vector<float>> numbers(const gguf::Gguf& file, std::string_view key,
                                   std::uint64_t count) {
  const auto value = array(file, key, Kind::f32, count);
  if (!value) return std::unexpected(value.error());
  std::vector<float> list((*value)->count);
  for (std::uint64_t i = 0; i < (*value)->count; ++i) {
    list[i] = (*value)->at<float>(i);
    if (!std::isfinite(list[i])) {
      return std::unexpected(gguf::file_error(
          file.paths.front(), "key `" + std::string(key) + "` holds a number that is not finite"));
    }
  }
  return list;
}

}  // namespace

Result<LabelHead> read_label_head(const std::filesystem::path& path) {
  const auto file = gguf::open_gguf(path);
  if (!file) return std::unexpected(file.error());
  const auto info = gguf::checked_info(*file);
  if (!info) return std::unexpected(info.error());

  LabelHead head;
  const auto labels = array(*file, "lichen.names.labels", Kind::string, 0);
  if (!labels) return std::unexpected(labels.error());
  const std::uint64_t count = (*labels)->count;
  if (count < 2 || count > kMostLabels) {
    return std::unexpected(gguf::file_error(
        path,
        std::to_string(count) + " labels; there must be 2 to " + std::to_string(kMostLabels)));
  }
  for (const std::string_view label : gguf::strings(**labels)) head.labels.emplace_back(label);
  head.width = static_cast<int>(info->embedding_length);
  auto weights = numbers(*file, "lichen.names.head", count * info->embedding_length);
  if (!weights) return std::unexpected(weights.error());
  auto bias = numbers(*file, "lichen.names.bias", count);
  if (!bias) return std::unexpected(bias.error());
  head.weights = *std::move(weights);
  head.bias = *std::move(bias);

  gguf::Typed typed(file->header);
  const std::uint32_t window = typed.u32("lichen.names.window").value_or(0);
  head.threshold = typed.f32("lichen.names.threshold").value_or(head.threshold);
  typed.require(window >= 16 && window <= kLongestWindow, "lichen.names.window is ", window,
                "; it must be 16 to ", kLongestWindow);
  typed.require(head.threshold > 0 && head.threshold < 1, "lichen.names.threshold is ",
                head.threshold, "; it must be between 0 and 1");
  if (const auto done = typed.done(); !done) {
    return std::unexpected(gguf::file_error(path, done.error()));
  }
  head.window = static_cast<int>(window);
  return head;
}

}  // namespace lichen::model
