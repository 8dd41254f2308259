#include "policy/plan.h"

#include <spdlog/fmt/fmt.h>

#include <memory>
#include <utility>

#include "policy/plan_builder.h"

namespace lichen::policy {
namespace {

/// Stands for a model that is not loaded yet.
class DeclaredModel : public Model {
 public:
  DeclaredModel(std::string name, bool local, bool continues)
      : name_(std::move(name)), local_(local), continues_(continues) {}
  const std::string& name() const override { return name_; }
  bool local() const override { return local_; }
  std::int64_t context_length() const override { return 0; }
  bool continues() const override { return continues_; }
  awaitable<Result<Answer>> answer(Request, Turn&) override { co_return not_loaded(); }
  awaitable<Result<Embeddings>> embed(std::vector<std::string>, Turn&) override {
    co_return not_loaded();
  }

 private:
  std::unexpected<Error> not_loaded() const {
    return fail(Errc::internal, fmt::format("model `{}` is not loaded", name_));
  }

  const std::string name_;
  const bool local_;
  const bool continues_;
};

}  // namespace

Result<Plans> build_plans(const Config& config, const std::vector<ModelPtr>& models,
                          privacy::DetectorPool& detectors, const KeptPlans& kept) {
  PlanBuilder builder(config, detectors);
  for (const ModelPtr& model : models) {
    Result<void> added = builder.add_model(model->name(), model);
    if (!added) return std::unexpected(std::move(added).error());
  }
  return builder.build_all(kept);
}

Result<std::vector<std::string>> check_plans(const Config& config,
                                             const std::vector<ModelPtr>& others,
                                             privacy::DetectorPool& detectors) {
  std::vector<ModelPtr> models = others;
  for (const ModelConfig& model : config.models) {
    const auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    const auto* remote = std::get_if<model::RemoteModelOptions>(&model.options);
    const bool continues = remote == nullptr || remote->continues != model::Continuation::none;
    models.push_back(std::make_shared<DeclaredModel>(model.name, local != nullptr, continues));
    if (local == nullptr) continue;
    for (const model::AdapterOptions& adapter : local->adapters) {
      models.push_back(
          std::make_shared<DeclaredModel>(model.name + "+" + adapter.name, true, true));
    }
  }
  const Result<Plans> plans = build_plans(config, models, detectors);
  if (!plans) return std::unexpected(plans.error());
  std::vector<std::string> names;
  for (const auto& [name, answerer] : plans->answerers) names.push_back(name);
  return names;
}

}  // namespace lichen::policy
