#include "mechanisms/distillation/training/tensor_floats.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "model/gguf/opened.h"
#include "model/tensor_codec.h"

namespace lichen::training {

Result<std::vector<float>> floats_of(const model::WeightsFile& file,
                                     const model::gguf::Tensor& tensor) {
  const std::string name = model::gguf::quoted(tensor.name);
  if (!model::has_codec(*tensor.type)) {
    return fail(Errc::unsupported,
                model::gguf::file_error(file.path(), "tensor " + name + " is of type " +
                                                         std::string(tensor.type->name) +
                                                         ", which cannot be turned into floats; "
                                                         "quantize the model to q8_0")
                    .detail);
  }
  std::vector<std::byte> bytes(tensor.bytes);
  if (auto done = file.read(tensor, 0, bytes); !done) return std::unexpected(done.error());
  std::vector<float> values(tensor.elements);
  model::decode(*tensor.type, bytes, values);
  if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) return values;
  return std::unexpected(model::gguf::file_error(
      file.path(), "tensor " + name + " has a value that is infinite or no number (NaN)"));
}

}  // namespace lichen::training
