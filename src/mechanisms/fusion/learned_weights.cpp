#include "mechanisms/fusion/learned_weights.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "mechanisms/routing/sealed_json.h"

namespace lichen::mechanisms {
namespace {

namespace json = boost::json;

constexpr SealedFormat kFormat{
    .key = "lichen_blend_weights", .what = "weights of a blend", .command = "lichen blend"};
constexpr int kMostRounds = 1'000;
constexpr double kStill = 1e-9;  // no weight moves by more: it has converged

/// ln sum(w_i p_i).
double log_mixture(const Segment& segment, std::span<const double> weights) {
  const double most = std::ranges::max(segment.logprobs);
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += weights[i] * std::exp(segment.logprobs[i] - most);
  }
  return most + std::log(sum);
}

std::vector<double> improved(std::span<const Segment> segments, std::span<const double> weights) {
  std::vector<double> next(weights.size());
  for (const Segment& segment : segments) {
    const double whole = log_mixture(segment, weights);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      next[i] += weights[i] * std::exp(segment.logprobs[i] - whole);
    }
  }
  for (double& weight : next) weight /= static_cast<double>(segments.size());
  return next;
}

json::array array_of(const std::vector<double>& values) {
  return json::array(values.begin(), values.end());
}

std::optional<std::vector<double>> numbers(const json::object& object, std::string_view key) {
  const auto* array = object.if_contains(key);
  if (array == nullptr || !array->is_array()) return std::nullopt;
  std::vector<double> values;
  for (const json::value& value : array->get_array()) {
    if (!value.is_number()) return std::nullopt;
    values.push_back(value.to_number<double>());
    if (!(values.back() >= 0)) return std::nullopt;
  }
  return values;
}

}  // namespace

Result<LearnedWeights> learn_weights(std::span<const Segment> segments) {
  if (segments.empty()) {
    return fail(Errc::bad_request, "there is no answer to learn weights from");
  }
  const std::size_t models = segments.front().logprobs.size();
  LearnedWeights learned{.weights = std::vector<double>(models, 1.0 / static_cast<double>(models)),
                         .segments = static_cast<std::int64_t>(segments.size()),
                         .nats = std::vector<double>(models)};
  for (int round = 0; round < kMostRounds; ++round) {
    const auto next = improved(segments, learned.weights);
    double moved = 0;
    for (std::size_t i = 0; i < models; ++i) {
      moved = std::max(moved, std::abs(next[i] - learned.weights[i]));
    }
    learned.weights = next;
    if (moved < kStill) break;
  }
  const auto count = static_cast<double>(segments.size());
  for (const Segment& segment : segments) {
    for (std::size_t i = 0; i < models; ++i) learned.nats[i] -= segment.logprobs[i] / count;
    learned.blended_nats -= log_mixture(segment, learned.weights) / count;
  }
  return learned;
}

Result<LearnedWeights> load_learned_weights(const std::filesystem::path& file) {
  const auto object = load_sealed(file, kFormat);
  if (!object) return std::unexpected(object.error());
  const auto* models = object->if_contains("models");
  const auto weights = numbers(*object, "weights");
  double sum = 0;
  if (weights) {
    for (const double weight : *weights) sum += weight;
  }
  if (models == nullptr || !models->is_array() || !weights ||
      models->get_array().size() != weights->size() || !(std::abs(sum - 1) < 1e-6)) {
    return bad_sealed(file, kFormat, "does not hold a weight for each model, 1 in sum");
  }
  return LearnedWeights{.models = models->get_array(), .weights = *weights};
}

Result<void> save_learned_weights(const LearnedWeights& learned,
                                  const std::filesystem::path& file) {
  return save_sealed({{"models", learned.models},
                      {"weights", array_of(learned.weights)},
                      {"data_hash", learned.data_hash},
                      {"answers", learned.answers},
                      {"segments", learned.segments},
                      {"nats", array_of(learned.nats)},
                      {"blended_nats", learned.blended_nats}},
                     file, kFormat);
}

}  // namespace lichen::mechanisms
