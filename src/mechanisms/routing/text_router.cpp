#include "mechanisms/routing/text_router.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "mechanisms/routing/ensemble_router.h"
#include "mechanisms/routing/knn_router.h"
#include "mechanisms/routing/linear_router.h"
#include "mechanisms/routing/mf_router.h"

namespace lichen::mechanisms {
namespace {

class WeightedTextRouter : public TextRouter {
 public:
  WeightedTextRouter(TextWeights text, std::unique_ptr<VectorRouter> router)
      : text_(std::move(text)), router_(std::move(router)) {}

  double need(std::string_view text) const override {
    return router_->need(text_vector(text_features(text, text_.options), text_));
  }

 private:
  const TextWeights text_;
  const std::unique_ptr<VectorRouter> router_;
};

Result<std::unique_ptr<VectorRouter>> make_vector_router(const RouterFile& file) {
  switch (file.kind) {
    case RouterKind::linear: return make_linear_router(file);
    case RouterKind::knn: return make_knn_router(file);
    case RouterKind::mf: return make_mf_router(file);
    case RouterKind::ensemble: return make_ensemble_router(file);
    case RouterKind::prefill: break;
  }
  return fail(Errc::bad_model, fmt::format("is a router of the kind `{}`, which does not read text",
                                           to_string(file.kind)));
}

}  // namespace

Result<std::unique_ptr<TextRouter>> make_text_router(const RouterFile& file) {
  auto text = text_weights_of(file);
  if (!text) return std::unexpected(text.error());
  auto router = make_vector_router(file);
  if (!router) return std::unexpected(router.error());
  return std::make_unique<WeightedTextRouter>(*std::move(text), *std::move(router));
}

void add_text_weights(RouterFile& file, const TextWeights& weights) {
  file.features = weights.options;
  file.tables.push_back(
      {.name = "rarity", .encoding = Table::Encoding::i8, .values = weights.rarity});
  file.tables.push_back({.name = "surface_mean", .values = weights.surface_mean});
  file.tables.push_back({.name = "surface_scale", .values = weights.surface_scale});
}

Result<TextWeights> text_weights_of(const RouterFile& file) {
  TextWeights weights{.options = file.features};
  struct Wanted {
    const char* name;
    std::size_t count;
    std::vector<float> TextWeights::* member;
  };
  const Wanted tables[] = {
      {"rarity", std::size_t{1} << file.features.hash_bits, &TextWeights::rarity},
      {"surface_mean", kSurfaceFeatures, &TextWeights::surface_mean},
      {"surface_scale", kSurfaceFeatures, &TextWeights::surface_scale}};
  for (const auto& [name, count, member] : tables) {
    auto values = file.values(name, count);
    if (!values) return std::unexpected(values.error());
    weights.*member = *std::move(values);
  }
  return weights;
}

}  // namespace lichen::mechanisms
