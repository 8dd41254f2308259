#include "mechanisms/routing/calibration_file.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <limits>
#include <string_view>

#include "base/format.h"
#include "mechanisms/routing/sealed_json.h"

namespace lichen::mechanisms {
namespace {

namespace json = boost::json;

constexpr SealedFormat kFormat{
    .key = "lichen_calibration", .what = "calibration", .command = "lichen route calibrate --plan"};

constexpr std::string_view kOthersKey = "other_versions";
constexpr std::size_t kMostOthers = 7;

json::object to_json(const PlanCalibration& calibration) {
  json::array grid;
  for (const GridPoint& point : calibration.counts.grid) {
    json::array numbers{point.threshold, point.by_small, point.losses, point.unlike};
    if (point.tokens > 0) numbers.push_back(point.tokens);
    grid.push_back(std::move(numbers));
  }
  return {{"valid_for", calibration.valid_for},
          {"made_with", calibration.made_with},
          {"n", calibration.counts.n},
          {"data_hash", calibration.counts.data_hash},
          {"grid", std::move(grid)}};
}

std::optional<GridPoint> point_from(const json::value& value) {
  const auto* array = value.if_array();
  if (array == nullptr || array->size() < 4 || array->size() > 5) return std::nullopt;
  const json::array& point = *array;
  for (std::size_t i = 0; i < point.size(); ++i) {
    if (i == 0 ? !point[i].is_number() : !point[i].is_int64()) return std::nullopt;
  }
  return GridPoint{.threshold = point[0].to_number<double>(),
                   .by_small = point[1].get_int64(),
                   .losses = point[2].get_int64(),
                   .unlike = point[3].get_int64(),
                   .tokens = point.size() == 5 ? point[4].get_int64() : 0};
}

/// Whether a point may come after another, or first, in counts of n requests.
bool may_follow(const GridPoint* before, const GridPoint& point, std::int64_t n) {
  if (!std::isfinite(point.threshold) || point.by_small < 0 || point.losses < 0) return false;
  if (point.losses > point.unlike) return false;
  if (before != nullptr && !(before->threshold < point.threshold)) return false;
  // Each threshold of a handover was a run of its own, whose counts need not grow.
  if (point.tokens > 0) return point.unlike <= n && point.by_small <= point.tokens;
  if (point.unlike > point.by_small || point.by_small > n) return false;
  return before == nullptr || (before->by_small <= point.by_small &&
                               before->losses <= point.losses && before->unlike <= point.unlike);
}

std::optional<PlanCalibration> calibration_from(const json::object& object) {
  const auto* valid_for = object.if_contains("valid_for");
  const auto* n = object.if_contains("n");
  const auto* data_hash = object.if_contains("data_hash");
  const auto* grid = object.if_contains("grid");
  if (valid_for == nullptr || !valid_for->is_object() || n == nullptr || !n->is_int64() ||
      n->get_int64() < 0 || n->get_int64() > kMostCalibrated || data_hash == nullptr ||
      !data_hash->is_string() || grid == nullptr || !grid->is_array()) {
    return std::nullopt;
  }
  PlanCalibration calibration;
  calibration.valid_for = valid_for->get_object();
  const auto* made_with = object.if_contains("made_with");
  if (made_with != nullptr && made_with->is_object()) {
    calibration.made_with = made_with->get_object();
  }
  calibration.counts.n = n->get_int64();
  calibration.counts.data_hash = data_hash->get_string();
  auto& points = calibration.counts.grid;
  for (const json::value& value : grid->get_array()) {
    const auto point = point_from(value);
    if (!point ||
        !may_follow(points.empty() ? nullptr : &points.back(), *point, calibration.counts.n)) {
      return std::nullopt;
    }
    points.push_back(*point);
  }
  return calibration;
}

// Of a model (policy/identity.h):
constexpr std::string_view kVersionKey = "version";
constexpr std::string_view kAdapterKey = "adapter";

/// What an identity says but for the versions of its models.
json::value without_versions(json::value value) {
  if (auto* object = value.if_object()) {
    if (object->erase(kVersionKey) > 0) object->erase(kAdapterKey);
    for (auto& member : *object) member.value() = without_versions(std::move(member.value()));
  } else if (auto* array = value.if_array()) {
    for (json::value& item : *array) item = without_versions(std::move(item));
  }
  return value;
}

std::string version(const json::value* number) {
  return number == nullptr ? "the model as it was made" : "version " + json::serialize(*number);
}

std::string shown(const json::value* value) {
  if (value == nullptr) return "not there";
  if (const auto* text = value->if_string()) return std::string(*text);
  return json::serialize(*value);
}

}  // namespace

std::vector<double> plan_thresholds() {
  constexpr int kPerE = 8;  // steps in which a distance grows by the factor e
  constexpr int kNearest = -14 * kPerE, kFurthest = 27;  // e^-14 = 1e-6, e^(27/8) = 29
  std::vector<double> needs = {-1, 0};
  for (int i = kNearest; i <= kFurthest; ++i) {
    const double distance = std::exp(static_cast<double>(i) / kPerE);
    needs.push_back(distance);
    if (distance > 0.5) continue;
    needs.push_back(-distance);
    needs.push_back(distance - 1);
  }
  std::ranges::sort(needs);
  return needs;
}

Result<std::vector<PlanCalibration>> load_plan_calibrations(const std::filesystem::path& file) {
  const auto object = load_sealed(file, kFormat);
  if (!object) return std::unexpected(object.error());
  const auto damaged = [&] {
    return bad_sealed(file, kFormat, "does not hold what a calibration holds");
  };
  std::vector<PlanCalibration> all;
  const auto add = [&all](const json::value& value) {
    auto calibration = value.is_object() ? calibration_from(value.get_object()) : std::nullopt;
    if (calibration) all.push_back(*std::move(calibration));
    return calibration.has_value();
  };
  if (!add(*object)) return damaged();
  if (const json::value* others = object->if_contains(kOthersKey)) {
    if (!others->is_array()) return damaged();
    for (const json::value& other : others->get_array()) {
      if (!add(other)) return damaged();
    }
  }
  return all;
}

const PlanCalibration& calibration_for(const std::vector<PlanCalibration>& calibrations,
                                       const json::object& identity) {
  const auto found = std::ranges::find(calibrations, identity, &PlanCalibration::valid_for);
  return found != calibrations.end() ? *found : calibrations.front();
}

Result<void> save_plan_calibration(const PlanCalibration& calibration,
                                   const std::filesystem::path& file) {
  json::array others;
  const json::value same = without_versions(calibration.valid_for);
  // What cannot be read is replaced.
  for (const auto& before : load_plan_calibrations(file).value_or(std::vector<PlanCalibration>())) {
    if (others.size() == kMostOthers) break;
    if (before.valid_for == calibration.valid_for) continue;
    if (without_versions(before.valid_for) == same) others.push_back(to_json(before));
  }
  json::object whole = to_json(calibration);
  if (!others.empty()) whole[kOthersKey] = std::move(others);
  return save_sealed(whole, file, kFormat);
}

std::string first_difference(const json::object& was, const json::object& is) {
  const auto differ = [](const json::object& a, const json::object& b,
                         std::string_view key) -> std::string {
    const json::value* left = a.if_contains(key);
    const json::value* right = b.if_contains(key);
    if (left != nullptr && right != nullptr && *left == *right) return {};
    if (key == kVersionKey) {
      return fmt::format("{} answered and {} does now", version(left), version(right));
    }
    if (left != nullptr && right != nullptr && left->is_object() && right->is_object()) {
      std::string inner = first_difference(left->get_object(), right->get_object());
      if (!inner.empty()) return fmt::format("in `{}`, {}", key, inner);
    }
    return fmt::format("`{}` was {} and is {}", key, shown(left), shown(right));
  };
  // A model's version says more than its adapter's hash.
  if (was.contains(kVersionKey) || is.contains(kVersionKey)) {
    if (std::string found = differ(was, is, kVersionKey); !found.empty()) return found;
  }
  for (const auto& [key, value] : was) {
    if (std::string found = differ(was, is, key); !found.empty()) return found;
  }
  for (const auto& [key, value] : is) {
    if (std::string found = differ(was, is, key); !found.empty()) return found;
  }
  return {};
}

Result<std::optional<RiskTarget>> read_risk(Options& options) {
  constexpr std::string_view kNames[] = {"alpha", "delta"};
  constexpr double kLeast = 1e-6;
  auto read = options.number_map("risk", kNames, kLeast, 1 - kLeast);
  if (!read) return std::unexpected(read.error());
  const std::optional<std::vector<double>> numbers = *std::move(read);
  if (!numbers) return std::nullopt;
  return RiskTarget{.alpha = numbers->at(0), .delta = numbers->at(1)};
}

Result<std::optional<Bound>> read_plan_bound(Options& options) {
  const auto read = read_risk(options);
  if (!read) return std::unexpected(read.error());
  const std::optional<RiskTarget> risk = *read;
  const bool calibrated = options.has("calibration");
  if (!risk && !calibrated) return std::nullopt;
  if (!risk || !calibrated) {
    return std::unexpected(options.error(
        calibrated ? "calibration" : "risk",
        "`risk: {alpha, delta}` and `calibration: FILE` go together; `lichen route calibrate "
        "--plan` makes the file"));
  }
  if (options.has("threshold")) {
    return std::unexpected(options.error(
        "threshold", "`threshold` and `risk` are not both possible: the risk chooses it"));
  }
  const auto file = options.file("calibration");
  if (!file) return std::unexpected(file.error());
  const auto all = load_plan_calibrations(*file);
  if (!all) return std::unexpected(options.error("calibration", all.error().detail));
  const auto identity = options.identity();
  if (!identity) return std::unexpected(identity.error());
  const PlanCalibration& calibration = calibration_for(*all, *identity);
  if (const auto difference = first_difference(calibration.valid_for, *identity);
      !difference.empty()) {
    return std::unexpected(options.error(
        "calibration", fmt::format("{}: was made for another plan: {}; make it anew by `lichen "
                                   "route calibrate --plan`",
                                   file->string(), difference)));
  }
  Bound bound{.file = *file,
              .target = *risk,
              .counts = calibration.counts,
              .choice = choose_threshold(calibration.counts, *risk)};
  if (!bound.choice) spdlog::warn("{}: {}", file->string(), describe(bound.counts, *risk));
  return bound;
}

double least_score(const Bound& bound) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!bound.choice) return kInfinity;
  // Small answers where the need, minus the score, is under the threshold.
  return std::nextafter(-bound.choice->threshold, kInfinity);
}

std::string describe(const Calibration& counts, const RiskTarget& target) {
  const auto choice = choose_threshold(counts, target);
  if (!choice || choice->at.by_small == 0) {
    return fmt::format(
        "large answers everything: {} prompts show no threshold with a risk of at most {} at "
        "confidence {}; even without a loss it takes {}",
        counts.n, base::format_percent(target.alpha), base::format_percent(1 - target.delta),
        least_data(target));
  }
  const GridPoint& at = choice->at;
  const std::int64_t all = at.tokens > 0 ? at.tokens : counts.n;
  return fmt::format(
      "small {} {} of the {}; {} of {} prompts were lost, so at confidence {} the risk is at most "
      "{}",
      at.tokens > 0 ? "writes" : "answers",
      base::format_percent(static_cast<double>(at.by_small) / static_cast<double>(all)),
      at.tokens > 0 ? "tokens" : "requests", at.losses, counts.n,
      base::format_percent(1 - target.delta), base::format_percent(choice->upper_bound));
}

}  // namespace lichen::mechanisms
