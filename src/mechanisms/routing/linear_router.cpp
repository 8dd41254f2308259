#include "mechanisms/routing/linear_router.h"

#include <utility>

#include "mechanisms/routing/logistic.h"

namespace lichen::mechanisms {
namespace {

class LinearRouter : public VectorRouter {
 public:
  explicit LinearRouter(LinearModel model) : model_(std::move(model)) {}

  double need(const SparseVector& vector) const override { return model_.need(vector); }

 private:
  const LinearModel model_;
};

Result<LinearHead> head_of(const RouterFile& file, const std::string& name) {
  auto weights = file.values(name + "_weights", dimensions(file.features));
  if (!weights) return std::unexpected(weights.error());
  const auto bias = file.values(name + "_bias", 1);
  if (!bias) return std::unexpected(bias.error());
  return LinearHead{.weights = *std::move(weights), .bias = bias->front()};
}

}  // namespace

double LinearHead::probability(const SparseVector& vector) const {
  double z = bias;
  for (const Entry& entry : vector) z += static_cast<double>(weights[entry.index]) * entry.value;
  return logistic(z);
}

double LinearModel::need(const SparseVector& vector) const {
  return (1 + only_large.probability(vector) - only_small.probability(vector)) / 2;
}

Result<std::unique_ptr<VectorRouter>> make_linear_router(const RouterFile& file) {
  auto only_large = head_of(file, "only_large");
  if (!only_large) return std::unexpected(only_large.error());
  auto only_small = head_of(file, "only_small");
  if (!only_small) return std::unexpected(only_small.error());
  return std::make_unique<LinearRouter>(
      LinearModel{.only_large = *std::move(only_large), .only_small = *std::move(only_small)});
}

}  // namespace lichen::mechanisms
