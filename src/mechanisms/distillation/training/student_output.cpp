#include "mechanisms/distillation/training/student_output.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "model/gguf/checked.h"
#include "model/gguf/metadata.h"
#include "model/tensor_codec.h"
#include "model/weights_writer.h"

namespace lichen::training {

namespace {

using model::TensorToWrite;
using model::gguf::Metadata;
using model::gguf::TensorType;

void set_provenance(Metadata& metadata, const Provenance& provenance) {
  metadata.set_text("general.name", provenance.name);
  metadata.set_text("lichen.distill.base", provenance.base_identity);
  if (!provenance.from_identity.empty()) {
    metadata.set_text("lichen.distill.from", provenance.from_identity);
  }
  metadata.set_text("lichen.distill.recipe", boost::json::serialize(provenance.recipe));
}

std::array<std::uint64_t, model::gguf::kMaxDimensions> gguf_shape(const TrainedTensor& tensor) {
  std::array<std::uint64_t, model::gguf::kMaxDimensions> shape = {1, 1, 1, 1};
  std::ranges::copy(tensor.shape.rbegin(), tensor.shape.rend(), shape.begin());
  return shape;
}

std::vector<float> values_of(const Engine& engine, std::size_t index) {
  std::vector<float> values(static_cast<std::size_t>(engine.trained()[index].elements));
  engine.read(index, Slot::value, values.data());
  return values;
}

/// Norms and biases stay floats, as llama.cpp's quantizer leaves them.
const TensorType* type_of(const model::gguf::Tensor& was, const TensorType* wanted) {
  if (wanted == nullptr || was.shape[1] == 1) return was.type;
  if (was.shape[0] % wanted->block == 0) return wanted;
  const TensorType* blocks = model::codec_type("q8_0");
  return was.shape[0] % blocks->block == 0 ? blocks : model::codec_type("f16");
}

/// Encodes all of one tensor into the file.
Result<void> write_tensor(const model::WeightsWriter& writer, std::size_t index,
                          const TensorToWrite& tensor, std::span<const float> values) {
  const float largest = model::largest_encodable(*tensor.type);
  if (!std::ranges::all_of(values, [&](float value) { return std::abs(value) <= largest; })) {
    return fail(Errc::unsupported, "tensor " + model::gguf::quoted(tensor.name) +
                                       " has a value that " + std::string(tensor.type->name) +
                                       " cannot hold; take another type");
  }
  std::vector<std::byte> bytes(tensor.bytes());
  model::encode(*tensor.type, values, bytes);
  return writer.write(index, 0, bytes);
}

}  // namespace

Result<void> write_adapter(const std::filesystem::path& output, const Engine& engine,
                           const model::WeightsFile& base, const LoraOptions& lora,
                           const Provenance& provenance) {
  Metadata metadata;
  metadata.set_text("general.type", "adapter");
  metadata.set_text("general.architecture", base.info().architecture);
  metadata.set_text("adapter.type", "lora");
  metadata.set_f32("adapter.lora.alpha", static_cast<float>(lora.alpha));
  set_provenance(metadata, provenance);
  std::vector<TensorToWrite> headers;
  for (const TrainedTensor& tensor : engine.trained()) {
    headers.push_back(
        {.name = tensor.name, .type = model::codec_type("f32"), .shape = gguf_shape(tensor)});
  }
  auto writer = model::WeightsWriter::create(output, metadata, headers);
  if (!writer) return std::unexpected(writer.error());
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (auto done = write_tensor(*writer, i, headers[i], values_of(engine, i)); !done) return done;
  }
  return writer->finish();
}

Result<void> write_student(const std::filesystem::path& output, const Engine& engine,
                           const model::WeightsFile& base, const TensorType* type,
                           const Provenance& provenance) {
  Metadata metadata = Metadata::copy_of(base.header());
  metadata.erase_under("split.");
  metadata.erase_under("quantize.");
  set_provenance(metadata, provenance);
  if (type != nullptr) {
    if (const auto number = model::gguf::file_type_of(*type)) {
      metadata.set_u32("general.file_type", *number);
    }
  }
  std::vector<TensorToWrite> headers;
  for (const model::gguf::Tensor& tensor : base.tensors()) {
    headers.push_back(
        {.name = std::string(tensor.name), .type = type_of(tensor, type), .shape = tensor.shape});
  }
  auto writer = model::WeightsWriter::create(output, metadata, headers);
  if (!writer) return std::unexpected(writer.error());
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto trained = std::ranges::find(engine.trained(), headers[i].name, &TrainedTensor::name);
    if (trained == engine.trained().end()) {  // frequency factors: not a weight
      std::vector<std::byte> bytes(base.tensors()[i].bytes);
      if (auto done = base.read(base.tensors()[i], 0, bytes); !done) return done;
      if (auto done = writer->write(i, 0, bytes); !done) return done;
      continue;
    }
    const auto index = static_cast<std::size_t>(trained - engine.trained().begin());
    if (auto done = write_tensor(*writer, i, headers[i], values_of(engine, index)); !done) {
      return done;
    }
  }
  return writer->finish();
}

}  // namespace lichen::training
