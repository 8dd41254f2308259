#include "eval/baselines.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "policy/identity.h"

namespace lichen::eval {
namespace {

/// Orders models by what they cost, as far as the configuration tells.
struct Size {
  double price = 0;
  bool remote = false;
  std::uintmax_t bytes = 0;
  auto operator<=>(const Size&) const = default;
};

Size size_of(const policy::ModelConfig& model) {
  Size size;
  const auto price = std::visit([](const auto& options) { return options.price; }, model.options);
  if (price) size.price = price->output;
  if (const auto* local = std::get_if<model::LocalModelOptions>(&model.options)) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(local->gguf, error);
    if (!error) size.bytes = bytes;
  } else {
    size.remote = true;
  }
  return size;
}

/// Those of the configuration's models that are large, or those that are not.
std::vector<policy::ModelConfig> models_of(const policy::Config& config,
                                           const std::set<std::string>& large, bool wanted) {
  std::vector<policy::ModelConfig> models;
  for (const auto& model : config.models) {
    if (large.contains(model.name) == wanted) models.push_back(model);
  }
  return models;
}

}  // namespace

std::set<std::string> large_models(const policy::Config& config) {
  if (config.models.size() < 2) return {};
  const auto named = std::ranges::find(config.models, "large", &policy::ModelConfig::name);
  if (named != config.models.end()) return {named->name};
  return {std::ranges::max_element(config.models, {}, size_of)->name};
}

Baselines baselines_of(const policy::Config& config, std::set<std::string> large) {
  Baselines baselines{.large = large.empty() ? large_models(config) : std::move(large)};
  const auto large_ones = models_of(config, baselines.large, true);
  const auto small_ones = models_of(config, baselines.large, false);
  if (!large_ones.empty()) {
    baselines.large_alone = std::ranges::max_element(large_ones, {}, size_of)->name;
  }
  if (!small_ones.empty()) {
    const auto named = std::ranges::find(small_ones, "small", &policy::ModelConfig::name);
    baselines.small_alone = named != small_ones.end()
                                ? named->name
                                : std::ranges::min_element(small_ones, {}, size_of)->name;
  }
  return baselines;
}

policy::Config for_measuring(policy::Config config) {
  config.ledger = {.path = "none"};  // and nothing is recorded
  config = policy::with_whole_scores(policy::without_shadows(std::move(config)));
  for (policy::ModelConfig& model : config.models) {
    if (auto* local = std::get_if<model::LocalModelOptions>(&model.options)) {
      local->batcher.prefix_cache_bytes = 0;
      local->repeatable = true;
    }
  }
  return config;
}

}  // namespace lichen::eval
