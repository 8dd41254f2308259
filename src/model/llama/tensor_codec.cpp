#include "model/tensor_codec.h"

#include <ggml.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cctype>
#include <cstring>
#include <iterator>
#include <limits>

namespace lichen::model {

namespace {

using gguf::TensorType;

constexpr auto kTypes = std::to_array<ggml_type>(
    {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0,
     GGML_TYPE_Q5_1, GGML_TYPE_Q8_0, GGML_TYPE_Q2_K, GGML_TYPE_Q3_K, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K,
     GGML_TYPE_Q6_K});

ggml_type ggml_type_of(const TensorType& type) {
  return static_cast<ggml_type>(&type - std::begin(gguf::kTensorTypes));
}

[[maybe_unused]] std::size_t bytes_of(const TensorType& type, std::size_t elements) {
  assert(elements % type.block == 0);
  return elements / type.block * type.bytes;
}

}  // namespace

bool has_codec(const TensorType& type) {
  return std::ranges::find(kTypes, ggml_type_of(type)) != kTypes.end();
}

const TensorType* codec_type(std::string_view name) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  for (const ggml_type number : kTypes) {
    const TensorType& type = gguf::kTensorTypes[number];
    if (std::ranges::equal(type.name, name, same)) return &type;
  }
  return nullptr;
}

float largest_encodable(const TensorType& type) {
  const ggml_type number = ggml_type_of(type);
  if (number == GGML_TYPE_F32) return std::numeric_limits<float>::max();
  // The last one that BF16 doesn't round to infinity.
  if (number == GGML_TYPE_BF16) return 0x1.FEFFFEp127F;
  return 65'504;  // F16's, in which the scales of blocks are kept
}

void decode(const TensorType& type, std::span<const std::byte> bytes, std::span<float> out) {
  assert(has_codec(type) && bytes.size() == bytes_of(type, out.size()));
  if (out.empty()) return;
  if (ggml_type_of(type) == GGML_TYPE_F32) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return;
  }
  ggml_get_type_traits(ggml_type_of(type))
      ->to_float(bytes.data(), out.data(), static_cast<std::int64_t>(out.size()));
}

void encode(const TensorType& type, std::span<const float> values, std::span<std::byte> out) {
  assert(has_codec(type) && out.size() == bytes_of(type, values.size()));
  if (values.empty()) return;
  if (ggml_type_of(type) == GGML_TYPE_F32) {
    std::memcpy(out.data(), values.data(), out.size());
    return;
  }
  // What ggml_quantize_chunk calls without an importance matrix, but for its global lock.
  ggml_get_type_traits(ggml_type_of(type))
      ->from_float_ref(values.data(), out.data(), static_cast<std::int64_t>(values.size()));
}

}  // namespace lichen::model
