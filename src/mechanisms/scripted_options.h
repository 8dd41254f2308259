// Options of a mechanism given in C++, where a test builds one without a configuration file.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/mechanism.h"
#include "privacy/detector_pool.h"

namespace lichen::mechanisms {

class ScriptedOptions : public Options {
 public:
  std::map<std::string, AnswererPtr, std::less<>> answerers;
  std::vector<Operand> sequence;
  std::map<std::string, double, std::less<>> numbers;
  std::map<std::string, bool, std::less<>> flags;
  std::map<std::string, std::vector<double>, std::less<>> maps;
  std::map<std::string, std::map<std::string, double, std::less<>>, std::less<>> some;
  std::map<std::string, std::string, std::less<>> choices;  // and files, and texts
  std::map<std::string, std::vector<std::string>, std::less<>> lists;
  std::map<std::string, std::chrono::milliseconds, std::less<>> durations;
  std::map<std::string, std::shared_ptr<ScriptedOptions>, std::less<>> nested;
  std::vector<ModelPtr> operand_models;
  bool mask_within = false;
  boost::json::object identity_too;             // stands in the identity beside the choices
  std::shared_ptr<privacy::DetectorPool> pool;  // shared by tests that make the same detector
  std::vector<std::shared_ptr<Redactor>> redactors;
  std::vector<std::shared_ptr<Learner>> learners;  // that were made known
  std::vector<Metric> metrics;                     // that are shown

  Result<AnswererPtr> operand(std::string_view key) override {
    const auto found = answerers.find(key);
    if (found == answerers.end()) return std::unexpected(error(key, "missing"));
    return found->second;
  }
  /// With models in place; those within mechanisms stay as they are.
  Result<AnswererPtr> operand_of(std::string_view key, EachModel each_model) override {
    Result<AnswererPtr> found = operand(key);
    auto model = found ? std::dynamic_pointer_cast<Model>(*found) : nullptr;
    if (!model) return found;
    Result<ModelPtr> other = each_model(std::move(model));
    if (!other) return std::unexpected(error(key, other.error().detail));
    return *std::move(other);
  }
  Result<std::vector<Operand>> operands(std::string_view key) override {
    if (sequence.empty()) return std::unexpected(error(key, "missing"));
    return sequence;
  }
  bool has(std::string_view key) override {
    return numbers.contains(key) || choices.contains(key) || answerers.contains(key);
  }
  Result<double> number(std::string_view key, double fallback, double min, double max) override {
    const auto found = numbers.find(key);
    if (found == numbers.end()) return fallback;
    if (!(found->second >= min && found->second <= max)) {
      return std::unexpected(error(key, "out of range"));
    }
    return found->second;
  }
  Result<std::optional<std::vector<double>>> number_map(std::string_view key,
                                                        std::span<const std::string_view>, double,
                                                        double) override {
    const auto found = maps.find(key);
    if (found == maps.end()) return std::nullopt;
    return found->second;
  }
  Result<std::vector<std::optional<double>>> some_numbers(std::string_view key,
                                                          std::span<const std::string_view> names,
                                                          double, double) override {
    std::vector<std::optional<double>> values(names.size());
    const auto found = some.find(key);
    for (std::size_t i = 0; i < names.size() && found != some.end(); ++i) {
      const auto value = found->second.find(names[i]);
      if (value != found->second.end()) values[i] = value->second;
    }
    return values;
  }
  void show(Metric metric) override { metrics.push_back(std::move(metric)); }
  /// What the metric reads now; NaN without one of that name.
  double metric(std::string_view name, std::string_view label = {}) const {
    for (const Metric& metric : metrics) {
      const bool has_label =
          label.empty() || std::ranges::any_of(metric.labels, [&](const auto& pair) {
            return pair.second == label;
          });
      if (metric.name == name && has_label) return metric.read();
    }
    return std::numeric_limits<double>::quiet_NaN();
  }
  void learns(std::shared_ptr<Learner> learner) override { learners.push_back(std::move(learner)); }
  Result<std::filesystem::path> file(std::string_view key) override {
    const auto found = choices.find(key);
    if (found == choices.end()) return std::unexpected(error(key, "missing"));
    return found->second;
  }
  Result<bool> flag(std::string_view key, bool fallback) override {
    const auto found = flags.find(key);
    return found == flags.end() ? fallback : found->second;
  }
  Result<std::string> choice(std::string_view key, std::span<const std::string_view> allowed,
                             std::string_view fallback) override {
    const auto found = choices.find(key);
    if (found == choices.end()) return std::string(fallback);
    if (std::ranges::find(allowed, found->second) == allowed.end()) {
      return std::unexpected(error(key, "not allowed"));
    }
    return found->second;
  }
  Result<std::string> text(std::string_view key) override {
    const auto found = choices.find(key);
    if (found == choices.end()) return std::unexpected(error(key, "missing"));
    return found->second;
  }
  Result<std::vector<std::string>> words(std::string_view key,
                                         std::span<const std::string_view> allowed) override {
    const auto found = lists.find(key);
    if (found == lists.end()) return std::vector<std::string>{};
    for (const std::string& word : found->second) {
      if (std::ranges::find(allowed, word) == allowed.end()) {
        return std::unexpected(error(key, "not allowed"));
      }
    }
    return found->second;
  }
  privacy::DetectorPool& detectors() override {
    if (!pool) pool = std::make_shared<privacy::DetectorPool>();
    return *pool;
  }
  void redacts(std::shared_ptr<Redactor> redactor) override {
    redactors.push_back(std::move(redactor));
  }
  Result<boost::json::object> identity() override {
    boost::json::object choices_made = identity_too;
    for (const auto& [key, value] : choices) {
      if (key != "calibration") choices_made[key] = value;
    }
    return choices_made;
  }
  Error error(std::string_view key, std::string what) override {
    return {.code = Errc::bad_config, .detail = std::string(key) + ": " + what};
  }
  Result<Options*> map(std::string_view key) override {
    const auto found = nested.find(key);
    return found == nested.end() ? nullptr : found->second.get();
  }
  Result<std::chrono::milliseconds> duration(std::string_view key,
                                             std::chrono::milliseconds fallback) override {
    const auto found = durations.find(key);
    return found == durations.end() ? fallback : found->second;
  }
  std::vector<ModelPtr> models(std::string_view) override { return operand_models; }
  bool masked_within(std::string_view) override { return mask_within; }
};

}  // namespace lichen::mechanisms
