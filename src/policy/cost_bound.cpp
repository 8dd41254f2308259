#include "policy/cost_bound.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "policy/plan_models.h"

namespace lichen::policy {
namespace {

double cost(const std::optional<Price>& price, const Step& step) {
  return price ? price->usd(step) : 0;
}

double dearest(const ModelConfig& model, const Step& step) {
  if (const auto* local = std::get_if<model::LocalModelOptions>(&model.options)) {
    return cost(local->price, step);
  }
  const auto& remote = std::get<model::RemoteModelOptions>(model.options);
  double most = cost(remote.price, step);
  for (const model::UpstreamOptions& place : remote.urls) {
    most = std::max(most, cost(place.price ? place.price : remote.price, step));
  }
  return most;
}

}  // namespace

double cost_bound(const Config& config, std::string_view name, std::int64_t tokens_in,
                  std::int64_t tokens_out) {
  Step step;
  step.tokens_in = tokens_in;
  step.tokens_out = tokens_out;
  if (const ModelConfig* model = model_named(config, name)) return dearest(*model, step);
  const auto plan = std::ranges::find(config.plans, name, &PlanConfig::name);
  if (plan == config.plans.end()) return 0;
  double usd = 0;
  for (const ModelConfig* model : models_below(config, plan->expression)) {
    usd += dearest(*model, step);
  }
  return usd;
}

}  // namespace lichen::policy
