#include "mechanisms/fusion/merge_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "mechanisms/fusion/compatible.h"
#include "model/gguf/checked.h"
#include "model/tensor_codec.h"

namespace lichen::mechanisms {

namespace {

using model::gguf::quoted;
using model::gguf::Tensor;
using model::gguf::TensorType;

std::unexpected<Error> at_place(const TensorNumber::Rule& rule, const std::string& what) {
  return fail(Errc::bad_config, rule.place.empty() ? what : rule.place + ": " + what);
}

/// "0.25", as one would write it.
std::string text(double number) {
  std::string digits = std::to_string(number);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits;
}

/// Below this, dividing by a sum of weights would multiply what was rounded.
constexpr double kLeastSum = 1e-6;

Result<void> check_thinning(const MergeSource& source, double density, double epsilon,
                            std::string_view tensor, Thinning thinning) {
  if (thinning == Thinning::none) return {};
  if (density <= 0 || density > 1) {
    return at_place(source.density.rule_for(tensor), "the density of " + quoted(tensor) + " is " +
                                                         text(density) +
                                                         "; it must be above 0 and at most 1");
  }
  if (thinning != Thinning::mag_prune) return {};
  if (epsilon < 0 || density - epsilon <= 0 || density + epsilon > 1) {
    return at_place(source.epsilon.rule_for(tensor),
                    "of " + quoted(tensor) + " the density is " + text(density) + " and epsilon " +
                        text(epsilon) +
                        "; density - epsilon must be above 0 and density + epsilon at most 1");
  }
  return {};
}

Result<void> normalize(const MergeRecipe& recipe, TensorPlan& plan) {
  const MethodFacts& method = facts(recipe.method);
  double sum = 0;
  for (std::size_t i = 0; i < plan.weights.size(); ++i) {
    sum += plan.weights[i];
    if (plan.weights[i] >= 0 || !method.elects) continue;
    return at_place(recipe.models[i].weight.rule_for(plan.base->name),
                    "the weight of " + quoted(plan.base->name) + " is " + text(plan.weights[i]) +
                        "; " + std::string(method.name) +
                        " averages by weights that are 0 or more, unless `normalize: false`");
  }
  if (std::abs(sum) < kLeastSum) {
    return at_place(recipe.models.front().weight.rule_for(plan.base->name),
                    "the weights of " + quoted(plan.base->name) + " add up to " + text(sum) +
                        ", by which they cannot be normalized; choose others, or "
                        "`normalize: false`");
  }
  for (double& weight : plan.weights) weight /= sum;
  return {};
}

Result<TensorPlan> plan_tensor(const MergeRecipe& recipe, const MergeInputs& inputs,
                               const Tensor& tensor, const TensorType* type) {
  const MethodFacts& method = facts(recipe.method);
  const std::uint32_t layers = inputs.base().info().block_count;
  TensorPlan plan;
  plan.base = &tensor;
  for (const model::WeightsFile& file : inputs.files) {
    plan.inputs.push_back(file.find(tensor.name));
    plan.opaque = plan.opaque ||
                  (plan.inputs.back() != nullptr && !model::has_codec(*plan.inputs.back()->type));
  }
  plan.type = type == nullptr || plan.opaque ? tensor.type : &output_type(tensor, *type);
  plan.t = recipe.t.at(tensor.name, layers);
  for (const MergeSource& source : recipe.models) {
    plan.weights.push_back(source.weight.at(tensor.name, layers));
    plan.densities.push_back(source.density.at(tensor.name, layers));
    plan.epsilons.push_back(source.epsilon.at(tensor.name, layers));
    if (auto good = check_thinning(source, plan.densities.back(), plan.epsilons.back(), tensor.name,
                                   method.thinning);
        !good) {
      return std::unexpected(good.error());
    }
  }
  const bool weighted = recipe.method != MergeMethod::slerp && recipe.method != MergeMethod::lora;
  if (weighted && recipe.normalize) {
    if (auto done = normalize(recipe, plan); !done) return std::unexpected(done.error());
  }
  if (tensor.shape[0] > std::numeric_limits<std::int32_t>::max()) {
    return fail(Errc::unsupported, quoted(tensor.name) + " has rows of " +
                                       std::to_string(tensor.shape[0]) +
                                       " elements; up to 2,147,483,647 can be merged");
  }
  return plan;
}

/// A pattern that fits nothing is a slip of the pen.
Result<void> check_patterns(const TensorNumber& number, const MergeInputs& inputs) {
  std::set<const TensorNumber::Rule*> used;
  for (const Tensor& tensor : inputs.base().tensors()) used.insert(&number.rule_for(tensor.name));
  for (const TensorNumber::Rule& rule : number.rules().first(number.rules().size() - 1)) {
    if (used.contains(&rule)) continue;
    return at_place(rule, "no tensor is left for the pattern " + model::gguf::quoted(rule.tensors) +
                              "; their names are like " +
                              quoted(inputs.base().tensors().front().name) +
                              " and must be fitted as a whole (`lichen models inspect`)");
  }
  return {};
}

Result<void> check_all_patterns(const MergeRecipe& recipe, const MergeInputs& inputs) {
  if (auto good = check_patterns(recipe.t, inputs); !good) return good;
  for (const MergeSource& source : recipe.models) {
    for (const TensorNumber* number : {&source.weight, &source.density, &source.epsilon}) {
      if (auto good = check_patterns(*number, inputs); !good) return good;
    }
  }
  return {};
}

/// The tensors that llama.cpp's quantize leaves alone, too (llama-quant.cpp): small ones, on which
/// much depends.
bool may_be_quantized(const Tensor& tensor) {
  constexpr auto kKept = std::to_array<std::string_view>(
      {"_norm.weight", "ffn_gate_inp.weight", "tid2eid", "altup", "laurel", "per_layer_model_proj",
       "position_embd", "token_types", "ssm_conv1d", "shortconv.conv", "indexer.", "time_mix_",
       "attn_rel_b", "pos_embd", "rel_pos"});
  const bool matrix = tensor.shape[1] > 1 && tensor.name.ends_with(".weight");
  return matrix && std::ranges::none_of(kKept, [&tensor](std::string_view part) {
           return tensor.name.find(part) != tensor.name.npos;
         });
}

}  // namespace

const TensorType& output_type(const Tensor& tensor, const TensorType& wanted) {
  if (!may_be_quantized(tensor)) return *tensor.type;
  for (const TensorType* type : {&wanted, model::codec_type("q8_0")}) {
    if (tensor.shape[0] % type->block == 0) return *type;
  }
  return *model::codec_type("f16");
}

Result<MergeInputs> open_inputs(const MergeRecipe& recipe) {
  MergeInputs inputs;
  std::vector<std::filesystem::path> paths;
  if (recipe.base) paths.push_back(*recipe.base);
  for (const MergeSource& source : recipe.models) paths.push_back(source.gguf);
  inputs.files.reserve(paths.size());
  for (const std::filesystem::path& path : paths) {
    Result<model::WeightsFile> file = model::WeightsFile::open(path);
    if (!file) return std::unexpected(file.error());
    inputs.files.push_back(*std::move(file));
  }
  if (inputs.base().tensors().empty()) {
    return fail(Errc::bad_model, inputs.base().path().string() + ": has no tensors to be merged");
  }
  const auto check = recipe.method == MergeMethod::lora ? check_adapter : check_same_kind;
  for (const model::WeightsFile& other : std::span(inputs.files).subspan(1)) {
    if (auto good = check(inputs.base(), other); !good) return std::unexpected(good.error());
  }
  return inputs;
}

Result<MergePlan> plan_merge(const MergeRecipe& recipe, const MergeInputs& inputs,
                             const TensorType* type) {
  if (auto good = check_all_patterns(recipe, inputs); !good) return std::unexpected(good.error());
  MergePlan plan{.tensors = {}, .type = type};
  for (const Tensor& tensor : inputs.base().tensors()) {
    Result<TensorPlan> one = plan_tensor(recipe, inputs, tensor, type);
    if (!one) return std::unexpected(one.error());
    plan.tensors.push_back(*std::move(one));
  }
  return plan;
}

}  // namespace lichen::mechanisms
