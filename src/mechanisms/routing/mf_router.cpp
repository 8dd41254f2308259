#include "mechanisms/routing/mf_router.h"

#include <algorithm>
#include <utility>

#include "mechanisms/routing/logistic.h"

namespace lichen::mechanisms {
namespace {

class MfRouter : public VectorRouter {
 public:
  explicit MfRouter(MfModel model) : model_(std::move(model)) {}

  double need(const SparseVector& vector) const override { return model_.need(vector); }

 private:
  const MfModel model_;
};

Result<ModelFactors> factors_of(const RouterFile& file, const std::string& name) {
  const auto values = file.values(name + "_factors", kFactors);
  if (!values) return std::unexpected(values.error());
  const auto bias = file.values(name + "_bias", 1);
  if (!bias) return std::unexpected(bias.error());
  ModelFactors factors{.bias = bias->front()};
  std::ranges::copy(*values, factors.factors.begin());
  return factors;
}

}  // namespace

double ModelFactors::probability(const Factors& prompt) const {
  double z = bias;
  for (std::size_t k = 0; k < kFactors; ++k) z += factors[k] * prompt[k];
  return logistic(z);
}

double MfModel::need(const SparseVector& vector) const {
  Factors prompt{};
  for (const Entry& entry : vector) {
    for (std::size_t k = 0; k < kFactors; ++k) {
      prompt[k] += static_cast<double>(prompt_factors[entry.index * kFactors + k]) * entry.value;
    }
  }
  return (1 + large.probability(prompt) - small.probability(prompt)) / 2;
}

Result<std::unique_ptr<VectorRouter>> make_mf_router(const RouterFile& file) {
  auto prompt = file.values("prompt_factors", dimensions(file.features) * kFactors);
  if (!prompt) return std::unexpected(prompt.error());
  const auto small = factors_of(file, "small");
  if (!small) return std::unexpected(small.error());
  const auto large = factors_of(file, "large");
  if (!large) return std::unexpected(large.error());
  return std::make_unique<MfRouter>(
      MfModel{.prompt_factors = *std::move(prompt), .small = *small, .large = *large});
}

}  // namespace lichen::mechanisms
