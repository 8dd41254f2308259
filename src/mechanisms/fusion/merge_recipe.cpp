#include "mechanisms/fusion/merge_recipe.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace lichen::mechanisms {

namespace {

using enum MergeMethod;

constexpr auto kMethods = std::to_array<MethodFacts>({
    {.method = linear,
     .name = "linear",
     .summary = "the weighted mean of the models",
     .normalizes = true},
    {.method = slerp,
     .name = "slerp",
     .summary = "between two models along the arc, at t from 0 (the first) to 1 (the second)"},
    {.method = task_arithmetic,
     .name = "task_arithmetic",
     .summary = "base plus the weighted differences to it",
     .base = true},
    {.method = ties,
     .name = "ties",
     .summary = "differences trimmed to the largest, their signs elected, the agreeing averaged",
     .base = true,
     .thinning = Thinning::trim,
     .elects = true,
     .normalizes = true},
    {.method = dare_linear,
     .name = "dare_linear",
     .summary = "differences dropped at random and the others rescaled, added to base",
     .base = true,
     .thinning = Thinning::drop},
    {.method = dare_ties,
     .name = "dare_ties",
     .summary = "dare, with signs elected as in ties",
     .base = true,
     .thinning = Thinning::drop,
     .elects = true},
    {.method = della_linear,
     .name = "della_linear",
     .summary = "as dare_linear, but what is larger in its row is dropped more rarely",
     .base = true,
     .thinning = Thinning::mag_prune},
    {.method = della,
     .name = "della",
     .summary = "della_linear, with signs elected as in ties",
     .base = true,
     .thinning = Thinning::mag_prune,
     .elects = true,
     .normalizes = true},
    {.method = lora, .name = "lora", .summary = "LoRA adapters put into their base", .base = true},
});

/// Where along the layers a tensor is, 0 to 1.
double depth(std::string_view tensor, std::uint32_t layers) {
  constexpr std::string_view kLayer = "blk.";
  if (!tensor.starts_with(kLayer)) return tensor.starts_with("output") ? 1 : 0;
  std::uint32_t layer = 0;
  std::from_chars(tensor.data() + kLayer.size(), tensor.data() + tensor.size(), layer);
  if (layers < 2) return 0;
  return std::min(1.0, static_cast<double>(layer) / (layers - 1));
}

}  // namespace

std::span<const MethodFacts> merge_methods() { return kMethods; }

const MethodFacts& facts(MergeMethod method) {
  return *std::ranges::find(kMethods, method, &MethodFacts::method);
}

TensorNumber::TensorNumber(double everywhere) : rules_{{.values = {everywhere}}} {}

const TensorNumber::Rule& TensorNumber::rule_for(std::string_view tensor) const {
  const std::string name(tensor);
  const auto fits = [&name](const Rule& rule) {
    return ::fnmatch(rule.tensors.c_str(), name.c_str(), 0) == 0;
  };
  const auto found = std::ranges::find_if(rules_, fits);
  return found == rules_.end() ? rules_.back() : *found;
}

double TensorNumber::at(std::string_view tensor, std::uint32_t layers) const {
  const std::vector<double>& values = rule_for(tensor).values;
  const double place = depth(tensor, layers) * static_cast<double>(values.size() - 1);
  const auto before = static_cast<std::size_t>(place);
  if (before + 1 >= values.size()) return values.back();
  return std::lerp(values[before], values[before + 1], place - static_cast<double>(before));
}

}  // namespace lichen::mechanisms
