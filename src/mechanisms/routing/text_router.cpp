#include "mechanisms/routing/text_router.h"

#include <spdlog/fmt/fmt.h>

#include "mechanisms/routing/linear_router.h"

namespace lichen::mechanisms {

Result<std::unique_ptr<TextRouter>> make_text_router(const RouterFile& file) {
  switch (file.kind) {
    case RouterKind::linear: return make_linear_router(file);
    case RouterKind::prefill: break;
  }
  return fail(Errc::bad_model, fmt::format("is a router of the kind `{}`, which does not read text",
                                           to_string(file.kind)));
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
