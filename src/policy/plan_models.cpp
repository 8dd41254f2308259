#include "policy/plan_models.h"

#include <algorithm>

namespace lichen::policy {
namespace {

constexpr int kMaxDepth = 64;  // as plans have

void add(const Config& config, const YamlNode& node, int depth,
         std::vector<const ModelConfig*>& found) {
  if (depth > kMaxDepth) return;
  if (node.is(YamlNode::Kind::scalar)) {
    if (const ModelConfig* model = model_named(config, node.text)) {
      if (std::ranges::find(found, model) == found.end()) found.push_back(model);
      return;
    }
    const auto plan = std::ranges::find(config.plans, node.text, &PlanConfig::name);
    if (plan != config.plans.end()) add(config, plan->expression, depth + 1, found);
  }
  for (const YamlNode& item : node.items) add(config, item, depth + 1, found);
}

}  // namespace

const ModelConfig* model_named(const Config& config, std::string_view name) {
  for (const ModelConfig& model : config.models) {
    if (name == model.name) return &model;
    const auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    if (local == nullptr || !name.starts_with(model.name + "+")) continue;
    const std::string_view adapter = name.substr(model.name.size() + 1);
    if (std::ranges::find(local->adapters, adapter, &model::AdapterOptions::name) !=
        local->adapters.end()) {
      return &model;
    }
  }
  return nullptr;
}

std::vector<const ModelConfig*> models_below(const Config& config, const YamlNode& node) {
  std::vector<const ModelConfig*> found;
  add(config, node, 0, found);
  return found;
}

}  // namespace lichen::policy
