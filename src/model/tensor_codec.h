// Elements of tensors from and to float, by ggml's own conversions.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "model/gguf/format.h"

namespace lichen::model {

/// Whether `decode` and `encode` know the type: F32, F16, BF16, Q4_0 to Q8_0, Q2_K to Q6_K.
bool has_codec(const gguf::TensorType& type);

/// The type of this name ("q4_K", in any case), or null when there is none with a codec.
const gguf::TensorType* codec_type(std::string_view name);

/// The magnitude up to which a float has a finite image in the type.
float largest_encodable(const gguf::TensorType& type);

// Pure functions, safe from any thread. The number of elements must be a multiple of the type's
// block, and the bytes theirs. Encoding is ggml's reference quantization (without an importance
// matrix), which gives the same bytes on every machine.
void decode(const gguf::TensorType& type, std::span<const std::byte> bytes, std::span<float> out);
void encode(const gguf::TensorType& type, std::span<const float> values, std::span<std::byte> out);

}  // namespace lichen::model
