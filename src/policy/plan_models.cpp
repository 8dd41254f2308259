#include "policy/plan_models.h"

#include <algorithm>

namespace lichen::policy {
namespace {

constexpr int kMaxDepth = 64;  // as plans have

void add(const Config& config, const YamlNode& node, int depth,
         std::vector<const ModelConfig*>& found) {
  if (depth > kMaxDepth) return;
  if (node.is(YamlNode::Kind::scalar)) {
    const auto model = std::ranges::find(config.models, node.text, &ModelConfig::name);
    if (model != config.models.end()) {
      if (std::ranges::find(found, &*model) == found.end()) found.push_back(&*model);
      return;
    }
    const auto plan = std::ranges::find(config.plans, node.text, &PlanConfig::name);
    if (plan != config.plans.end()) add(config, plan->expression, depth + 1, found);
  }
  for (const YamlNode& item : node.items) add(config, item, depth + 1, found);
}

}  // namespace

std::vector<const ModelConfig*> models_below(const Config& config, const YamlNode& node) {
  std::vector<const ModelConfig*> found;
  add(config, node, 0, found);
  return found;
}

}  // namespace lichen::policy
