#include "mechanisms/routing/embedding_knn.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace lichen::mechanisms {
namespace {

std::vector<float> point_of(std::span<const float> embedding, std::span<const float> mean,
                            std::span<const float> scale) {
  std::vector<float> point(embedding.begin(), embedding.end());
  for (std::size_t i = 0; i < point.size(); ++i) point[i] = (point[i] - mean[i]) * scale[i];
  scale_to_one(point);
  return point;
}

Result<void> check(std::span<const Example> examples) {
  const std::size_t width = examples.front().features.size();
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const auto& embedding = examples[i].features;
    const bool finite = std::ranges::all_of(embedding, [](float x) { return std::isfinite(x); });
    if (width > 0 && embedding.size() == width && finite) continue;
    return fail(Errc::bad_request,
                fmt::format("example {} has no embedding of {} finite numbers", i + 1, width));
  }
  return {};
}

}  // namespace

Result<EmbeddingKnn> EmbeddingKnn::open(const RouterFile& file) {
  const Table* mean = file.find("mean");
  if (mean == nullptr || mean->values.empty()) {
    return fail(Errc::bad_model, "has no table `mean` of its embeddings");
  }
  auto scale = file.values("scale", mean->values.size());
  if (!scale) return std::unexpected(scale.error());
  auto neighbours = Neighbours::open(file, mean->values.size());
  if (!neighbours) return std::unexpected(neighbours.error());
  return EmbeddingKnn(mean->values, *std::move(scale), *std::move(neighbours));
}

double EmbeddingKnn::need(std::span<const float> embedding) const {
  return neighbours_.need(point_of(embedding, mean_, scale_));
}

Result<void> train_embedding_knn(RouterFile& file, std::span<const Example> examples) {
  if (auto good = check(examples); !good) return good;
  constexpr double kLeastDeviation = 1e-6;
  const auto n = static_cast<double>(examples.size());
  std::vector<float> mean, scale;
  for (std::size_t j = 0; j < examples.front().features.size(); ++j) {
    double sum = 0, squares = 0;
    for (const Example& example : examples) sum += example.features[j];
    for (const Example& example : examples) squares += std::pow(example.features[j] - sum / n, 2);
    const double deviation = std::sqrt(squares / n);
    mean.push_back(static_cast<float>(sum / n));
    scale.push_back(deviation > kLeastDeviation ? static_cast<float>(1 / deviation) : 0);
  }
  std::vector<float> points;
  for (const std::size_t place : chosen_points(examples.size())) {
    std::ranges::copy(point_of(examples[place].features, mean, scale), std::back_inserter(points));
  }
  file.tables.push_back({.name = "mean", .values = std::move(mean)});
  file.tables.push_back({.name = "scale", .values = std::move(scale)});
  add_neighbours(file, examples, std::move(points));
  return {};
}

}  // namespace lichen::mechanisms
