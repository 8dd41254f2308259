#include "mechanisms/routing/mf_training.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "mechanisms/routing/lbfgs.h"
#include "mechanisms/routing/logistic.h"

namespace lichen::mechanisms {
namespace {

static_assert(kFactors == 2, "a model's vector of length 1 is an angle");

/// On half the sum of squared prompt factors.
constexpr double kPenalty = 1;
constexpr int kModelNumbers = 4;  // an angle and a bias of each
constexpr int kIterations = 60;
constexpr double kTolerance = 1e-3;

/// What L-BFGS moves: the prompt factors, then this for small and for large. The models' vectors
/// have length 1, or else factors could shrink under the penalty while those grow; so each is an
/// angle. They start at right angles: nothing is shared yet.
struct ModelParameters {
  double angle = 0;
  double bias = 0;

  ModelFactors factors() const {
    return {.factors = {std::cos(angle), std::sin(angle)}, .bias = bias};
  }
};

class MfObjective {
 public:
  explicit MfObjective(const TrainingSet& set)
      : set_(set), prompt_size_(dimensions(set.text.options) * kFactors) {}

  std::size_t size() const { return prompt_size_ + kModelNumbers; }
  ModelParameters model(const std::vector<double>& x, std::size_t which) const {
    return {.angle = x[prompt_size_ + 2 * which], .bias = x[prompt_size_ + 2 * which + 1]};
  }

  double operator()(const std::vector<double>& x, std::vector<double>& gradient) const {
    double value = 0;
    for (std::size_t j = 0; j < prompt_size_; ++j) {
      value += kPenalty / 2 * x[j] * x[j];
      gradient[j] = kPenalty * x[j];
    }
    std::fill(gradient.begin() + static_cast<std::ptrdiff_t>(prompt_size_), gradient.end(), 0.0);
    const ModelFactors models[] = {model(x, 0).factors(), model(x, 1).factors()};
    for (std::size_t i = 0; i < set_.vectors.size(); ++i) {
      value += add_example(i, models, x, gradient);
    }
    return value;
  }

 private:
  double add_example(std::size_t i, const ModelFactors (&models)[2], const std::vector<double>& x,
                     std::vector<double>& gradient) const {
    Factors prompt{}, pull{};
    for (const Entry& entry : set_.vectors[i]) {
      for (std::size_t k = 0; k < kFactors; ++k) {
        prompt[k] += x[entry.index * kFactors + k] * entry.value;
      }
    }
    const bool right[] = {set_.examples[i].small_right, set_.examples[i].large_right};
    double value = 0;
    for (std::size_t m = 0; m < 2; ++m) {
      const auto& [cosine, sine] = models[m].factors;
      const double z = models[m].bias + prompt[0] * cosine + prompt[1] * sine;
      value += cross_entropy(z, right[m] ? 1 : 0);
      const double error = logistic(z) - (right[m] ? 1 : 0);
      gradient[prompt_size_ + 2 * m] += error * (prompt[1] * cosine - prompt[0] * sine);
      gradient[prompt_size_ + 2 * m + 1] += error;
      pull[0] += error * cosine;
      pull[1] += error * sine;
    }
    for (const Entry& entry : set_.vectors[i]) {
      for (std::size_t k = 0; k < kFactors; ++k) {
        gradient[entry.index * kFactors + k] += pull[k] * entry.value;
      }
    }
    return value;
  }

  const TrainingSet& set_;
  const std::size_t prompt_size_;
};

void add_factors(RouterFile& file, const std::string& name, const ModelFactors& model) {
  file.tables.push_back(
      {.name = name + "_factors", .values = {model.factors.begin(), model.factors.end()}});
  file.tables.push_back({.name = name + "_bias", .values = {static_cast<float>(model.bias)}});
}

}  // namespace

MfModel train_mf(const TrainingSet& set, const TrainingOptions& options) {
  const MfObjective objective(set);
  std::vector<double> start(objective.size());
  start[start.size() - 2] = std::numbers::pi / 2;  // large's angle
  int evaluations = 0;
  const auto counted = [&](const std::vector<double>& x, std::vector<double>& gradient) {
    if (options.progress) options.progress(std::min(1.0, ++evaluations / double{kIterations}));
    return objective(x, gradient);
  };
  const auto x =
      minimize(counted, std::move(start),
               {.iterations = kIterations, .tolerance = kTolerance, .stop = options.stop});
  return {.prompt_factors = {x.begin(), x.end() - kModelNumbers},
          .small = objective.model(x, 0).factors(),
          .large = objective.model(x, 1).factors()};
}

void add_mf_model(RouterFile& file, const MfModel& model) {
  file.tables.push_back(
      {.name = "prompt_factors", .encoding = Table::Encoding::i8, .values = model.prompt_factors});
  add_factors(file, "small", model.small);
  add_factors(file, "large", model.large);
}

}  // namespace lichen::mechanisms
