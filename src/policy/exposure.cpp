#include "policy/exposure.h"

#include <algorithm>
#include <set>
#include <utility>

namespace lichen::policy {
namespace {

bool is_remote(const Config& config, std::string_view name) {
  for (const auto* models : {&config.models, &config.ready}) {
    const auto model = std::ranges::find(*models, name, &ModelConfig::name);
    if (model != models->end()) {
      return std::holds_alternative<model::RemoteModelOptions>(model->options);
    }
  }
  return false;
}

/// What a `mask` lets through of what `shown` would.
Shown under(const YamlNode& mask, Shown shown) {
  const YamlNode* policy = mask.find("policy");
  const bool masks = policy == nullptr || policy->text == "mask";
  return std::max(shown, masks ? Shown::masked : Shown::never);
}

class Walk {
 public:
  explicit Walk(const Config& config) : config_(config) {}

  void add(const YamlNode& node, Shown shown) {
    if (node.is(YamlNode::Kind::scalar)) add_name(node.text, shown);
    const bool masked = node.key == "mask" && node.is(YamlNode::Kind::map);
    mask_ |= masked;
    for (const YamlNode& item : node.items) add(item, masked ? under(node, shown) : shown);
  }
  const std::set<Exposure>& found() const { return found_; }
  bool mask() const { return mask_; }

 private:
  void add_name(std::string_view name, Shown shown) {
    if (is_remote(config_, name)) found_.insert({.model = std::string(name), .shown = shown});
    const auto plan = std::ranges::find(config_.plans, name, &PlanConfig::name);
    if (plan == config_.plans.end() || !seen_.emplace(name, shown).second) return;
    add(plan->expression, shown);
  }

  const Config& config_;
  std::set<Exposure> found_;
  bool mask_ = false;  // there was one
  std::set<std::pair<std::string_view, Shown>> seen_;  // plans
};

}  // namespace

std::string_view to_string(Shown shown) {
  switch (shown) {
    case Shown::clear: return "clear";
    case Shown::masked: return "masked";
    case Shown::never: return "never";
  }
  return "";
}

std::vector<Exposure> exposures(const Config& config, const PlanConfig& plan) {
  Walk walk(config);
  walk.add(plan.expression, Shown::clear);
  return {walk.found().begin(), walk.found().end()};
}

bool holds_mask(const Config& config, const YamlNode& expression) {
  Walk walk(config);
  walk.add(expression, Shown::clear);
  return walk.mask();
}

}  // namespace lichen::policy
