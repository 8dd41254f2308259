#include "mechanisms/policy/similarity_calibration.h"

#include <cmath>

#include "mechanisms/routing/sealed_json.h"

namespace lichen::mechanisms {
namespace {

namespace json = boost::json;

constexpr SealedFormat kFormat{.key = "lichen_similarity",
                               .what = "calibration of a cache",
                               .command = "lichen cache calibrate"};

constexpr std::string_view kWords = "words", kFacts = "facts";

std::optional<double> number_in(const json::object& object, std::string_view key, double least,
                                double most) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const auto number = value->to_number<double>();
  if (!(number >= least && number <= most)) return std::nullopt;
  return number;
}

std::optional<std::int64_t> count_in(const json::object& object, std::string_view key,
                                     std::int64_t most) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  if (value->get_int64() < 0 || value->get_int64() > most) return std::nullopt;
  return value->get_int64();
}

std::optional<SimilarityCalibration> calibration_from(const json::object& object) {
  const json::value* embedder = object.if_contains("embedder");
  const json::value* data_hash = object.if_contains("data_hash");
  const json::value* equal = object.if_contains("equal");
  if (equal == nullptr || !equal->is_string()) return std::nullopt;
  const std::string rule(equal->get_string());
  if (rule != kWords && rule != kFacts) return std::nullopt;
  const auto alpha = number_in(object, "alpha", 0, 1), delta = number_in(object, "delta", 0, 1);
  const auto threshold = number_in(object, "threshold", -1, 1);
  const auto bound = number_in(object, "upper_bound", 0, 1);
  const auto pairs = count_in(object, "pairs", INT64_MAX);
  const auto hits = count_in(object, "hits", pairs.value_or(0));
  const auto wrong = count_in(object, "wrong", hits.value_or(0));
  if (embedder == nullptr || !embedder->is_object() || data_hash == nullptr ||
      !data_hash->is_string() || !alpha || !delta || !threshold || !bound || !pairs || !hits ||
      !wrong) {
    return std::nullopt;
  }
  return SimilarityCalibration{
      .embedder = embedder->get_object(),
      .equal = rule == kFacts ? Equal::facts : Equal::words,
      .target = {.alpha = *alpha, .delta = *delta},
      .choice = {.at = {.threshold = *threshold, .hits = *hits, .wrong = *wrong},
                 .upper_bound = *bound},
      .pairs = *pairs,
      .data_hash = std::string(data_hash->get_string())};
}

}  // namespace

SimilarityPoint count_at(std::span<const ScoredPair> pairs, double threshold) {
  SimilarityPoint point{.threshold = threshold};
  for (const ScoredPair& pair : pairs) {
    if (!pair.same_facts || pair.cosine < threshold) continue;
    ++point.hits;
    point.wrong += pair.same ? 0 : 1;
  }
  return point;
}

std::vector<double> similarity_grid() {
  constexpr double kNearest = 1e-5, kFurthest = 0.7, kStep = 1.08;
  std::vector<double> grid;
  for (double distance = kNearest; distance < kFurthest; distance *= kStep) {
    grid.push_back(1 - distance);
  }
  return grid;
}

std::optional<SimilarityChoice> choose_similarity(std::span<const ScoredPair> pairs,
                                                  const RiskTarget& target) {
  std::optional<SimilarityChoice> choice;
  for (const double threshold : similarity_grid()) {
    const SimilarityPoint point = count_at(pairs, threshold);
    if (point.hits < least_data(target)) continue;
    if (binomial_tail(point.wrong, point.hits, target.alpha) > target.delta) break;
    choice = SimilarityChoice{.at = point,
                              .upper_bound = upper_bound(point.wrong, point.hits, target.delta)};
  }
  return choice;
}

Result<SimilarityCalibration> load_similarity(const std::filesystem::path& file) {
  const auto object = load_sealed(file, kFormat);
  if (!object) return std::unexpected(object.error());
  const json::value* rules = object->if_contains("fact_rules");
  if (rules == nullptr || *rules != json::value(kFactRules)) {
    return bad_sealed(file, kFormat, "was made with other rules for what must not differ");
  }
  auto calibration = calibration_from(*object);
  if (!calibration) return bad_sealed(file, kFormat, "does not hold what a calibration holds");
  return *std::move(calibration);
}

Result<void> save_similarity(const SimilarityCalibration& calibration,
                             const std::filesystem::path& file) {
  const SimilarityPoint& at = calibration.choice.at;
  return save_sealed({{"embedder", calibration.embedder},
                      {"fact_rules", kFactRules},
                      {"equal", calibration.equal == Equal::facts ? kFacts : kWords},
                      {"alpha", calibration.target.alpha},
                      {"delta", calibration.target.delta},
                      {"threshold", at.threshold},
                      {"pairs", calibration.pairs},
                      {"hits", at.hits},
                      {"wrong", at.wrong},
                      {"upper_bound", calibration.choice.upper_bound},
                      {"data_hash", calibration.data_hash}},
                     file, kFormat);
}

}  // namespace lichen::mechanisms
