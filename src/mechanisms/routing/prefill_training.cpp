#include "mechanisms/routing/prefill_training.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "mechanisms/routing/hashing.h"
#include "mechanisms/routing/lbfgs.h"

namespace lichen::mechanisms {
namespace {

constexpr std::size_t kHeads = 2;
constexpr std::size_t kUnits = 16;
/// On half the sum of squared weights.
constexpr double kPenalty = 30;
constexpr int kIterations = 200;
constexpr double kTolerance = 1e-3;

Result<void> check(std::span<const Example> examples) {
  const std::size_t width = examples.front().features.size();
  if (width == 0) {
    return fail(Errc::bad_request,
                "`prefill` learns from features of small's pass over each prompt, and the data has "
                "none; `lichen route collect` makes such data");
  }
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const auto& features = examples[i].features;
    if (features.size() != width) {
      return fail(Errc::bad_request, fmt::format("example {} has {} features instead of {}", i + 1,
                                                 features.size(), width));
    }
    if (!std::ranges::all_of(features, [](float x) { return std::isfinite(x); })) {
      return fail(Errc::bad_request,
                  fmt::format("example {} has a feature that is no number", i + 1));
    }
  }
  return {};
}

void learn_scales(PrefillModel& model, std::span<const Example> examples) {
  const std::size_t width = examples.front().features.size();
  const auto n = static_cast<double>(examples.size());
  for (std::size_t j = 0; j < width; ++j) {
    double sum = 0, squares = 0;
    for (const Example& example : examples) sum += example.features[j];
    const double mean = sum / n;
    for (const Example& example : examples) {
      squares += (example.features[j] - mean) * (example.features[j] - mean);
    }
    const double deviation = std::sqrt(squares / n);
    model.mean.push_back(static_cast<float>(mean));
    model.scale.push_back(deviation > 1e-6 ? static_cast<float>(1 / deviation) : 0);
  }
}

/// -y log p - (1-y) log(1-p) for p = 1 / (1 + exp(-z)), without overflow.
double cross_entropy(double z, double y) {
  return std::log1p(std::exp(-std::abs(z))) + std::max(z, 0.0) - y * z;
}

double dot(const double* weights, const double* x, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += weights[i] * x[i];
  return sum;
}

void add_scaled(double* to, double scale, const double* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] += scale * from[i];
}

/// Standardized features, each example's with a 1 for the bias at its end, and what it teaches.
struct Lessons {
  std::vector<double> inputs = {};
  std::vector<std::array<double, kHeads>> labels = {};
  std::size_t stride = 0;  // numbers of an example
  std::size_t units = 0;

  std::size_t outputs() const { return units > 0 ? units + 1 : stride; }  // weights of a head
  std::size_t weights() const { return units * stride + kHeads * outputs(); }
};

Lessons lessons_of(const PrefillModel& model, std::span<const Example> examples) {
  Lessons lessons{.stride = model.width() + 1, .units = model.units};
  for (const Example& example : examples) {
    for (std::size_t j = 0; j < model.width(); ++j) {
      lessons.inputs.push_back((example.features[j] - model.mean[j]) * model.scale[j]);
    }
    lessons.inputs.push_back(1);
    lessons.labels.push_back({example.large_right && !example.small_right ? 1.0 : 0.0,
                              example.small_right && !example.large_right ? 1.0 : 0.0});
  }
  return lessons;
}

/// The loss of weights that lie as the units' and then the heads', with its gradient.
double loss(const Lessons& lessons, const std::vector<double>& weights,
            std::vector<double>& gradient) {
  const std::size_t stride = lessons.stride, units = lessons.units, outputs = lessons.outputs();
  const std::size_t heads_at = units * stride;
  double value = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t row = i < heads_at ? stride : outputs;
    const bool bias = (i < heads_at ? i : i - heads_at) % row + 1 == row;
    const double penalty = bias ? 0 : kPenalty;
    value += penalty / 2 * weights[i] * weights[i];
    gradient[i] = penalty * weights[i];
  }
  std::vector<double> hidden(outputs, 1), back(outputs);
  for (std::size_t example = 0; example < lessons.labels.size(); ++example) {
    const double* input = &lessons.inputs[example * stride];
    for (std::size_t unit = 0; unit < units; ++unit) {
      hidden[unit] = std::tanh(dot(&weights[unit * stride], input, stride));
    }
    const double* last = units > 0 ? hidden.data() : input;
    std::ranges::fill(back, 0);
    for (std::size_t head = 0; head < kHeads; ++head) {
      const std::size_t at = heads_at + head * outputs;
      const double z = dot(&weights[at], last, outputs);
      const double label = lessons.labels[example][head];
      value += cross_entropy(z, label);
      const double error = 1 / (1 + std::exp(-z)) - label;
      add_scaled(&gradient[at], error, last, outputs);
      if (units > 0) add_scaled(back.data(), error, &weights[at], outputs);
    }
    for (std::size_t unit = 0; unit < units; ++unit) {
      const double slope = back[unit] * (1 - hidden[unit] * hidden[unit]);
      add_scaled(&gradient[unit * stride], slope, input, stride);
    }
  }
  return value;
}

/// Uniform, of variance 1 / inputs, so that no unit begins saturated.
std::vector<double> first_weights(const Lessons& lessons, std::uint64_t seed) {
  std::vector<double> weights(lessons.weights());
  const double most = std::sqrt(3.0 / static_cast<double>(lessons.stride));
  for (std::size_t i = 0; i < lessons.units * lessons.stride; ++i) {
    weights[i] = most * (2 * unit_interval(mixed(mixed(seed) + i)) - 1);
  }
  return weights;
}

}  // namespace

Result<PrefillModel> train_prefill(std::span<const Example> examples,
                                   const TrainingOptions& options) {
  if (auto good = check(examples); !good) return std::unexpected(good.error());
  PrefillModel model{.units = kUnits};
  learn_scales(model, examples);
  const Lessons lessons = lessons_of(model, examples);
  int evaluations = 0;
  const auto weights = minimize(
      [&](const std::vector<double>& x, std::vector<double>& gradient) {
        if (options.progress) {
          options.progress(std::min(1.0, ++evaluations / static_cast<double>(kIterations)));
        }
        return loss(lessons, x, gradient);
      },
      first_weights(lessons, options.seed),
      {.iterations = kIterations, .tolerance = kTolerance, .stop = options.stop});
  const auto heads = weights.begin() + static_cast<std::ptrdiff_t>(model.units * lessons.stride);
  model.inner.assign(weights.begin(), heads);
  model.outer.assign(heads, weights.end());
  return model;
}

}  // namespace lichen::mechanisms
