#include "mechanisms/routing/neighbours.h"

#include <hnswlib/hnswlib.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace lichen::mechanisms {
namespace {

// Changing one of these changes what the files of routers mean: that takes a new version of them.
constexpr std::size_t kNeighbours = 100;
constexpr float kPriorVotes = 5;      // for the mean of all
constexpr std::size_t kLinks = 8;     // of a point in the graph
constexpr std::size_t kBreadth = 80;  // of the search for them

/// The graph is for points of length 1 (or 0), bytes' rounding allowed for.
Result<void> check(std::span<const float> points, std::size_t width,
                   std::span<const float> outcomes) {
  constexpr double kMostSquares = 1.1;
  for (std::size_t start = 0; start < points.size(); start += width) {
    double squares = 0;
    for (const float x : points.subspan(start, width)) squares += static_cast<double>(x) * x;
    if (squares > kMostSquares) return fail(Errc::bad_model, "has `points` longer than 1");
  }
  if (std::ranges::all_of(outcomes, [](float x) { return std::abs(x) <= 1.001F; })) return {};
  return fail(Errc::bad_model, "has `outcomes` beyond -1 and 1");
}

}  // namespace

void scale_to_one(std::span<float> numbers) {
  double squares = 0;
  for (const float number : numbers) squares += static_cast<double>(number) * number;
  if (squares <= 0) return;
  const auto scale = static_cast<float>(1 / std::sqrt(squares));
  for (float& number : numbers) number *= scale;
}

struct Neighbours::Graph {
  Graph(std::size_t width, std::span<const float> points, std::vector<float> of)
      : outcomes(std::move(of)),
        mean(std::reduce(outcomes.begin(), outcomes.end()) / static_cast<float>(outcomes.size())),
        metric(width),
        index(&metric, outcomes.size(), kLinks, kBreadth) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) index.addPoint(&points[i * width], i);
    index.setEf(kNeighbours);
  }

  const std::vector<float> outcomes;
  const float mean;
  hnswlib::InnerProductSpace metric;
  hnswlib::HierarchicalNSW<float> index;
};

Neighbours::Neighbours(std::unique_ptr<Graph> graph) : graph_(std::move(graph)) {}
Neighbours::Neighbours(Neighbours&&) noexcept = default;
Neighbours::~Neighbours() = default;

Result<Neighbours> Neighbours::open(const RouterFile& file, std::size_t width) {
  const Table* outcomes = file.find("outcomes");
  const std::size_t count = outcomes == nullptr ? 0 : outcomes->values.size();
  if (count == 0 || count > kMostPoints) {
    return fail(Errc::bad_model,
                fmt::format("has {} `outcomes`; there must be 1 to {}", count, kMostPoints));
  }
  const auto points = file.values("points", count * width);
  if (!points) return std::unexpected(points.error());
  if (auto good = check(*points, width, outcomes->values); !good) {
    return std::unexpected(good.error());
  }
  return Neighbours(std::make_unique<Graph>(width, *points, outcomes->values));
}

double Neighbours::need(std::span<const float> point) const {
  auto nearest = graph_->index.searchKnn(point.data(), kNeighbours);
  float votes = kPriorVotes;
  float sum = kPriorVotes * graph_->mean;
  for (; !nearest.empty(); nearest.pop()) {
    const auto& [distance, index] = nearest.top();
    const float cosine = std::clamp(1 - distance, 0.0F, 1.0F);
    const float vote = cosine * cosine * cosine * cosine;
    votes += vote;
    sum += vote * graph_->outcomes[index];
  }
  return (1 + static_cast<double>(sum / votes)) / 2;
}

std::vector<std::size_t> chosen_points(std::size_t examples) {
  std::vector<std::size_t> places(std::min(examples, kMostPoints));
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i * examples / places.size();
  return places;
}

void add_neighbours(RouterFile& file, std::span<const Example> examples,
                    std::vector<float> points) {
  Table outcomes{.name = "outcomes", .encoding = Table::Encoding::i8};
  for (const std::size_t place : chosen_points(examples.size())) {
    outcomes.values.push_back(static_cast<float>(examples[place].large_right) -
                              static_cast<float>(examples[place].small_right));
  }
  file.tables.push_back(
      {.name = "points", .encoding = Table::Encoding::i8, .values = std::move(points)});
  file.tables.push_back(std::move(outcomes));
}

}  // namespace lichen::mechanisms
