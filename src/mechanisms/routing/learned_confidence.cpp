#include "mechanisms/routing/learned_confidence.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/lbfgs.h"
#include "mechanisms/routing/sealed_json.h"
#include "mechanisms/routing/token_confidence.h"

namespace lichen::mechanisms {
namespace {

namespace json = boost::json;

constexpr SealedFormat kFormat{.key = "lichen_confidence",
                               .what = "learned confidence",
                               .command = "lichen route train --plan"};
constexpr double kMostDeviations = 5;  // further out counts as this far
constexpr double kPenalty = 1;         // on half the sum of squared weights
constexpr std::size_t kLeastAnswers = 20;

double by(std::string_view name, std::span<const AnswerToken> tokens, double quantile = 0) {
  const auto found = std::ranges::find(token_confidences(), name, &TokenConfidence::name);
  assert(found != token_confidences().end());
  return confidence_of(*found, tokens, quantile);
}

double logistic(double z) { return 1 / (1 + std::exp(-z)); }

/// -y log p - (1-y) log(1-p) for p = logistic(z), without overflow.
double cross_entropy(double z, double y) {
  return std::log1p(std::exp(-std::abs(z))) + std::max(z, 0.0) - y * z;
}

double dot(const AnswerFeatures& a, std::span<const double> weights) {
  double sum = 0;
  for (std::size_t i = 0; i < kAnswerFeatures; ++i) sum += a[i] * weights[i];
  return sum;
}

AnswerFeatures standardized(AnswerFeatures features, const LearnedConfidence& learned) {
  for (std::size_t i = 0; i < kAnswerFeatures; ++i) {
    const double deviations = (features[i] - learned.mean[i]) * learned.scale[i];
    features[i] = std::clamp(deviations, -kMostDeviations, kMostDeviations);
  }
  return features;
}

void learn_scales(std::span<const JudgedAnswer> answers, LearnedConfidence& learned) {
  const auto n = static_cast<double>(answers.size());
  for (std::size_t i = 0; i < kAnswerFeatures; ++i) {
    double sum = 0, squares = 0;
    for (const JudgedAnswer& answer : answers) {
      sum += answer.features[i];
      squares += answer.features[i] * answer.features[i];
    }
    learned.mean[i] = sum / n;
    const double variance = squares / n - learned.mean[i] * learned.mean[i];
    learned.scale[i] = variance > 1e-9 ? 1 / std::sqrt(variance) : 0;
  }
}

template <class Label>
LearnedConfidence::Head train_head(std::span<const JudgedAnswer> answers,
                                   const LearnedConfidence& learned, Label label,
                                   const std::stop_token& stop) {
  std::vector<AnswerFeatures> rows;
  for (const JudgedAnswer& answer : answers) rows.push_back(standardized(answer.features, learned));
  const auto objective = [&](const std::vector<double>& weights, std::vector<double>& gradient) {
    double value = 0;
    for (std::size_t j = 0; j < kAnswerFeatures; ++j) {
      value += kPenalty / 2 * weights[j] * weights[j];
      gradient[j] = kPenalty * weights[j];
    }
    gradient.back() = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double z = dot(rows[i], weights) + weights.back();
      const double y = label(answers[i]) ? 1 : 0;
      value += cross_entropy(z, y);
      const double error = logistic(z) - y;
      for (std::size_t j = 0; j < kAnswerFeatures; ++j) gradient[j] += error * rows[i][j];
      gradient.back() += error;
    }
    return value;
  };
  const auto weights =
      minimize(objective, std::vector<double>(kAnswerFeatures + 1), {.stop = stop});
  LearnedConfidence::Head head{.bias = weights.back()};
  std::copy_n(weights.begin(), kAnswerFeatures, head.weights.begin());
  return head;
}

json::array array_of(const AnswerFeatures& values) {
  return json::array(values.begin(), values.end());
}

bool read(const json::object& object, std::string_view key, AnswerFeatures& values) {
  const auto* found = object.if_contains(key);
  if (found == nullptr || !found->is_array() || found->get_array().size() != kAnswerFeatures) {
    return false;
  }
  for (std::size_t i = 0; i < kAnswerFeatures; ++i) {
    const json::value& value = found->get_array()[i];
    if (!value.is_number()) return false;
    values[i] = value.to_number<double>();
  }
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

bool read(const json::object& object, std::string_view key, LearnedConfidence::Head& head) {
  const auto* found = object.if_contains(key);
  if (found == nullptr || !found->is_object()) return false;
  const auto* bias = found->get_object().if_contains("bias");
  if (bias == nullptr || !bias->is_number()) return false;
  head.bias = bias->to_number<double>();
  return std::isfinite(head.bias) && read(found->get_object(), "weights", head.weights);
}

json::object to_json(const LearnedConfidence::Head& head) {
  return {{"weights", array_of(head.weights)}, {"bias", head.bias}};
}

class Learned : public Confidence {
 public:
  explicit Learned(const LearnedConfidence& learned) : learned_(learned) {}

  const std::string& words() const override { return words_; }
  int alternatives() const override { return kFeatureAlternatives; }
  awaitable<Result<double>> of(const Request&, const Answer& answer, Turn&) const override {
    if (answer.tokens.empty()) co_return fail(Errc::unsupported, "small gave no log-probabilities");
    co_return learned_.of(answer_features(answer.tokens));
  }

 private:
  const LearnedConfidence learned_;
  const std::string words_ = "learned confidence";
};

}  // namespace

AnswerFeatures answer_features(std::span<const AnswerToken> tokens) {
  static constexpr double kLeastLogprob = -30;  // a probability of 0 is no infinite feature
  constexpr double kOffset = 1e-3;
  const auto bounded = [](double value) { return std::max(value, kLeastLogprob); };
  const auto count = static_cast<double>(tokens.size());
  const double mean = bounded(by("mean", tokens)), least = bounded(by("min", tokens));
  AnswerFeatures features = {mean,
                             least,
                             std::exp(least),
                             std::log(kOffset - mean),
                             std::log(kOffset - least),
                             bounded(by("quantile", tokens, 0.1)),
                             by("margin", tokens, 0),
                             by("margin", tokens, 0.2),
                             by("entropy", tokens, 0),
                             by("entropy", tokens, 0.2),
                             std::log(count),
                             std::exp(bounded(mean * count))};
  for (const double feature : features) {
    if (!std::isnan(feature)) continue;
    features.fill(std::numeric_limits<double>::quiet_NaN());
    break;
  }
  return features;
}

double LearnedConfidence::of(const AnswerFeatures& features) const {
  if (std::isnan(features[0])) return features[0];
  const AnswerFeatures row = standardized(features, *this);
  const double by_small = logistic(dot(row, only_small.weights) + only_small.bias);
  const double by_large = logistic(dot(row, only_large.weights) + only_large.bias);
  return (1 + by_small - by_large) / 2;
}

Result<LearnedConfidence> train_confidence(std::span<const JudgedAnswer> answers,
                                           const std::stop_token& stop) {
  const auto only_large = [](const JudgedAnswer& a) { return a.large_right && !a.small_right; };
  const auto only_small = [](const JudgedAnswer& a) { return a.small_right && !a.large_right; };
  const auto gains = std::ranges::count_if(answers, only_large);
  if (answers.size() < kLeastAnswers || gains == 0 || gains == std::ssize(answers)) {
    return fail(Errc::bad_request,
                fmt::format("{} answers, {} of them right by large alone: a confidence is learned "
                            "from at least {}, of which some are right by large alone and some "
                            "are not",
                            answers.size(), gains, kLeastAnswers));
  }
  LearnedConfidence learned;
  learn_scales(answers, learned);
  learned.only_small = train_head(answers, learned, only_small, stop);
  learned.only_large = train_head(answers, learned, only_large, stop);
  if (stop.stop_requested()) return fail(Errc::cancelled, "training was interrupted");
  return learned;
}

Result<LearnedConfidence> load_learned(const std::filesystem::path& file) {
  const auto object = load_sealed(file, kFormat);
  if (!object) return std::unexpected(object.error());
  LearnedConfidence learned;
  const auto* small = object->if_contains("small");
  if (small == nullptr || !small->is_object() || !read(*object, "mean", learned.mean) ||
      !read(*object, "scale", learned.scale) || !read(*object, "only_small", learned.only_small) ||
      !read(*object, "only_large", learned.only_large)) {
    return bad_sealed(file, kFormat, "does not hold what a learned confidence holds");
  }
  learned.small = small->get_object();
  return learned;
}

Result<void> save_learned(const LearnedConfidence& learned, const std::filesystem::path& file) {
  return save_sealed({{"small", learned.small},
                      {"mean", array_of(learned.mean)},
                      {"scale", array_of(learned.scale)},
                      {"only_small", to_json(learned.only_small)},
                      {"only_large", to_json(learned.only_large)}},
                     file, kFormat);
}

Result<std::unique_ptr<Confidence>> build_learned(Options& options, const AnswererPtr&) {
  const auto file = options.file("learned");
  if (!file) return std::unexpected(file.error());
  const auto learned = load_learned(*file);
  if (!learned) return std::unexpected(options.error("learned", learned.error().detail));
  const auto identity = options.identity();
  if (!identity) return std::unexpected(identity.error());
  const auto* small = identity->if_contains("small");
  const json::object is =
      small != nullptr && small->is_object() ? small->get_object() : json::object{};
  if (const auto difference = first_difference(learned->small, is); !difference.empty()) {
    return std::unexpected(
        options.error("learned", fmt::format("{}: was learned from another small: {}; learn it "
                                             "anew by `lichen route train --plan`",
                                             file->string(), difference)));
  }
  return std::make_unique<Learned>(*learned);
}

}  // namespace lichen::mechanisms
