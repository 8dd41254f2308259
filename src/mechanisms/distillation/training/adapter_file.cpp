#include "mechanisms/distillation/training/adapter_file.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "mechanisms/distillation/training/tensor_floats.h"
#include "mechanisms/fusion/compatible.h"
#include "model/gguf/opened.h"

namespace lichen::training {
namespace {

using model::WeightsFile;
using model::gguf::quoted;
using model::gguf::Tensor;

constexpr std::string_view kA = ".lora_a";

std::unexpected<Error> refused(Errc code, const WeightsFile& adapter, const std::string& why) {
  return fail(code, model::gguf::file_error(adapter.path(), why).detail);
}

Result<void> check_base(const WeightsFile& adapter, const WeightsFile& student,
                        const std::string& student_identity) {
  const auto& metadata = adapter.info().metadata;
  const auto base = metadata.find("lichen.distill.base");
  if (base == metadata.end() || base->second == student_identity) return {};
  return refused(Errc::bad_model, adapter,
                 "was trained on another file than " + student.path().string() +
                     "; name that one as the student");
}

/// "attn_q" of "blk.0.attn_q.weight.lora_a"; empty: of no matrix in a layer.
std::string_view target_of(std::string_view name) {
  constexpr std::string_view kBlock = "blk.", kEnd = ".weight.lora_a";
  if (!name.starts_with(kBlock) || !name.ends_with(kEnd)) return {};
  name.remove_prefix(kBlock.size());
  name.remove_suffix(kEnd.size());
  const std::size_t dot = name.find('.');
  return dot == name.npos ? std::string_view() : name.substr(dot + 1);
}

/// Of every layer or of none: how many layers each target is adapted in.
Result<std::vector<std::string>> targets_of(const WeightsFile& adapter,
                                            const WeightsFile& student) {
  const std::vector<std::string> all = LoraOptions().targets;
  std::map<std::string_view, std::uint32_t> layers;
  for (const Tensor& tensor : adapter.tensors()) {
    if (!tensor.name.ends_with(kA)) continue;
    const std::string_view target = target_of(tensor.name);
    if (std::ranges::find(all, target) == all.end()) {
      return refused(Errc::unsupported, adapter,
                     "adapts " + quoted(tensor.name.substr(0, tensor.name.size() - kA.size())) +
                         "; training goes on with attn_* and ffn_* matrices only");
    }
    ++layers[target];
  }
  std::vector<std::string> targets;
  for (const std::string& target : all) {
    const std::uint32_t adapted = layers[target];
    if (adapted == 0) continue;
    if (adapted != student.info().block_count) {
      return refused(Errc::unsupported, adapter,
                     "adapts " + target + " in " + std::to_string(adapted) + " of " +
                         std::to_string(student.info().block_count) +
                         " layers; training goes on with all layers only");
    }
    targets.push_back(target);
  }
  if (targets.empty()) return refused(Errc::bad_model, adapter, "adapts nothing");
  return targets;
}

Result<int> rank_of(const WeightsFile& adapter) {
  std::uint64_t rank = 0;
  for (const Tensor& tensor : adapter.tensors()) {
    if (!tensor.name.ends_with(kA)) continue;
    if (rank != 0 && tensor.shape[1] != rank) {
      return refused(Errc::unsupported, adapter,
                     "has pairs of ranks " + std::to_string(rank) + " and " +
                         std::to_string(tensor.shape[1]) + "; training goes on with one rank only");
    }
    rank = tensor.shape[1];
  }
  return static_cast<int>(rank);
}

}  // namespace

Result<LoraOptions> read_lora(const WeightsFile& adapter, const WeightsFile& student,
                              const std::string& student_identity) {
  if (auto fits = mechanisms::check_adapter(student, adapter); !fits) {
    return std::unexpected(fits.error());
  }
  if (auto same = check_base(adapter, student, student_identity); !same) {
    return std::unexpected(same.error());
  }
  auto targets = targets_of(adapter, student);
  if (!targets) return std::unexpected(targets.error());
  const auto rank = rank_of(adapter);
  if (!rank) return std::unexpected(rank.error());
  const float alpha = adapter.info().adapter_lora_alpha.value_or(0);
  if (!(alpha >= 0) || !std::isfinite(alpha)) {
    return refused(Errc::bad_model, adapter, "its adapter.lora.alpha is no number above 0");
  }
  // libllama takes no alpha, or 0, for "as large as the rank".
  return LoraOptions{
      .rank = *rank, .alpha = alpha > 0 ? alpha : *rank, .targets = *std::move(targets)};
}

Result<void> load_lora(const WeightsFile& adapter, Engine& engine) {
  for (std::size_t i = 0; i < engine.trained().size(); ++i) {
    const TrainedTensor& trained = engine.trained()[i];
    const Tensor* tensor = adapter.find(trained.name);
    if (tensor == nullptr || static_cast<std::int64_t>(tensor->elements) != trained.elements) {
      return refused(Errc::bad_model, adapter,
                     "has no " + model::gguf::quoted(trained.name) + " that fits");
    }
    const auto values = floats_of(adapter, *tensor);
    if (!values) return std::unexpected(values.error());
    engine.write(i, Slot::value, values->data());
  }
  return {};
}

}  // namespace lichen::training
