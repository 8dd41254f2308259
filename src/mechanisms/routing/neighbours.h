// Votes of the training prompts that lie nearest to another, whatever the points are made of. They
// are found in a graph (HNSW: Malkov, Yashunin 2016, arXiv 1603.09320) by hnswlib.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "lichen/result.h"
#include "mechanisms/routing/router_training.h"

namespace lichen::mechanisms {

/// More training prompts are thinned out, so that loading takes seconds at most.
inline constexpr std::size_t kMostPoints = 50'000;

/// To length 1; zeros stay.
void scale_to_one(std::span<float> numbers);

/// Each neighbour votes with the fourth power of its cosine; some votes for the mean keep a lonely
/// prompt near it. Safe to use from any thread.
class Neighbours {
 public:
  /// From a file's tables: `points`, of that width and of length 1 (or 0) each, and `outcomes`, 1
  /// where only large was right, -1 where only small was, else 0. The graph is made of them anew,
  /// since hnswlib trusts the bytes of a graph it reads. `bad_model` says what does not fit.
  static Result<Neighbours> open(const RouterFile& file, std::size_t width);
  Neighbours(Neighbours&&) noexcept;
  ~Neighbours();

  /// As TextRouter::need. `point`: of the width, of length 1 or 0.
  double need(std::span<const float> point) const;

 private:
  struct Graph;
  explicit Neighbours(std::unique_ptr<Graph> graph);

  std::unique_ptr<const Graph> graph_;
};

/// Those of the examples that become points: at most kMostPoints, evenly spaced.
std::vector<std::size_t> chosen_points(std::size_t examples);
/// The two tables. `points` are those of the chosen examples, one after the other.
void add_neighbours(RouterFile& file, std::span<const Example> examples, std::vector<float> points);

}  // namespace lichen::mechanisms
