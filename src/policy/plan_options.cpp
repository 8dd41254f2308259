#include "policy/plan_options.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/exposure.h"
#include "policy/fields.h"
#include "policy/identity.h"
#include "policy/nearest.h"

namespace lichen::policy {
namespace {

using mechanisms::Operand;

/// What a mechanism's builder sees of the YAML under its key.
class PlanOptions : public mechanisms::Options {
 public:
  PlanOptions(PlanBuilder& builder, std::string_view mechanism, const YamlNode& node)
      : builder_(builder),
        mechanism_(mechanism),
        node_(node),
        fields_(builder.config().file, node, fmt::format("`{}`", mechanism)) {}

  Result<AnswererPtr> operand(std::string_view key) override {
    const YamlNode* node = fields_.find(key);
    if (node == nullptr) return missing(key, kOperand);
    Result<Operand> operand = builder_.build(*node);
    if (!operand) return std::unexpected(std::move(operand).error());
    return std::move(operand->answerer);
  }

  Result<AnswererPtr> operand_of(std::string_view key, mechanisms::EachModel each_model) override {
    const YamlNode* node = fields_.find(key);
    if (node == nullptr) return missing(key, kOperand);
    Result<Operand> operand = builder_.build_with(*node, std::move(each_model));
    if (!operand) return std::unexpected(std::move(operand).error());
    return std::move(operand->answerer);
  }

  Result<std::vector<Operand>> operands(std::string_view key) override {
    constexpr std::string_view kWanted = "a list of models, plans and mechanisms";
    const YamlNode* node = fields_.find(key);
    if (node == nullptr) return missing(key, kWanted);
    if (!node->is(YamlNode::Kind::sequence) || node->items.empty()) {
      return std::unexpected(
          error(key, fmt::format("`{}` must be {}, at least one", key, kWanted)));
    }
    std::vector<Operand> result;
    for (const YamlNode& item : node->items) {
      Result<Operand> operand = builder_.build(item);
      if (!operand) return std::unexpected(std::move(operand).error());
      result.push_back(*std::move(operand));
    }
    return result;
  }

  bool has(std::string_view key) override { return fields_.has(key); }

  Result<double> number(std::string_view key, double fallback, double min, double max) override {
    const YamlNode* node = fields_.find(key);
    return node != nullptr ? read_number(file(), *node, min, max) : fallback;
  }

  Result<std::optional<std::vector<double>>> number_map(std::string_view key,
                                                        std::span<const std::string_view> names,
                                                        double min, double max) override {
    const YamlNode* node = fields_.find(key);
    if (node == nullptr) return std::nullopt;
    Fields map(file(), *node, fmt::format("`{}`", key));
    std::vector<double> values(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      map.require({names[i]});
      map.read(names[i], values[i], min, max);
    }
    if (std::optional<Error> wrong = map.finish()) return std::unexpected(*std::move(wrong));
    return values;
  }

  Result<std::vector<std::optional<double>>> some_numbers(std::string_view key,
                                                          std::span<const std::string_view> names,
                                                          double min, double max) override {
    std::vector<std::optional<double>> values(names.size());
    const YamlNode* node = fields_.find(key);
    if (node == nullptr) return values;
    Fields map(file(), *node, fmt::format("`{}`", key));
    for (std::size_t i = 0; i < names.size(); ++i) map.read(names[i], values[i], min, max);
    if (std::optional<Error> wrong = map.finish()) return std::unexpected(*std::move(wrong));
    return values;
  }

  Result<std::filesystem::path> file(std::string_view key) override {
    const YamlNode* node = fields_.find(key);
    if (node == nullptr) return missing(key, "the path of a file");
    const Result<std::string> text = read_text(file(), *node);
    if (!text) return std::unexpected(text.error());
    return file().parent_path() / *text;
  }

  Result<std::string> text(std::string_view key) override {
    const YamlNode* node = fields_.find(key);
    return node != nullptr ? read_text(file(), *node) : missing(key, "a text");
  }

  Result<std::vector<std::string>> words(std::string_view key,
                                         std::span<const std::string_view> allowed) override {
    const YamlNode* node = fields_.find(key);
    if (node == nullptr) return std::vector<std::string>{};
    if (!node->is(YamlNode::Kind::sequence) || node->items.empty()) {
      return std::unexpected(
          error(key, fmt::format("`{}` must be a list, of {}", key, list(texts(allowed)))));
    }
    std::vector<std::string> words;
    for (const YamlNode& item : node->items) {
      Result<std::string> word = one_of(key, item, allowed);
      if (!word) return std::unexpected(word.error());
      words.push_back(*std::move(word));
    }
    return words;
  }

  Result<bool> flag(std::string_view key, bool fallback) override {
    const YamlNode* node = fields_.find(key);
    return node != nullptr ? read_flag(file(), *node) : fallback;
  }

  Result<std::string> choice(std::string_view key, std::span<const std::string_view> allowed,
                             std::string_view fallback) override {
    const YamlNode* node = fields_.find(key);
    if (node == nullptr) return std::string(fallback);
    return one_of(key, *node, allowed);
  }

  void show(mechanisms::Metric metric) override {
    if (metrics_name_.empty()) metrics_name_ = builder_.metrics_name(mechanism_);
    builder_.add_metric({.plan = metrics_name_, .metric = std::move(metric)});
  }

  Result<boost::json::object> identity() override {
    return mechanism_identity(builder_.config(), node_);
  }

  void learns(std::shared_ptr<mechanisms::Learner> learner) override {
    builder_.add_learner(std::move(learner));
  }

  privacy::DetectorPool& detectors() override { return builder_.detectors(); }

  void redacts(std::shared_ptr<mechanisms::Redactor> redactor) override {
    builder_.add_redactor(redactor);
  }

  Error error(std::string_view key, std::string what) override {
    const YamlNode* node = node_.find(key);
    return node != nullptr ? yaml_error(file(), node->key_line, node->key_column, what)
                           : yaml_error(file(), node_.key_line, node_.key_column, what);
  }

  Result<mechanisms::Options*> map(std::string_view key) override {
    const YamlNode* node = fields_.find(key);
    if (node == nullptr) return nullptr;
    auto inner = std::make_unique<PlanOptions>(builder_, key, *node);
    if (!inner->is_map()) return std::unexpected(*inner->problem());
    return maps_.emplace_back(std::move(inner)).get();
  }

  Result<std::chrono::milliseconds> duration(std::string_view key,
                                             std::chrono::milliseconds fallback) override {
    const YamlNode* node = fields_.find(key);
    return node != nullptr ? read_duration(file(), *node) : fallback;
  }

  std::vector<ModelPtr> models(std::string_view key) override {
    const YamlNode* node = node_.find(key);
    return node != nullptr ? builder_.models_of(*node) : std::vector<ModelPtr>();
  }

  bool masked_within(std::string_view key) override {
    const YamlNode* node = node_.find(key);
    return node != nullptr && !builder_.within_mask() && holds_mask(builder_.config(), *node);
  }

  /// Before building: whether there is a map at all. Afterwards: whether all its keys were known.
  std::optional<Error> problem() {
    std::optional<Error> wrong = fields_.finish();
    for (const auto& map : maps_) {
      if (!wrong) wrong = map->problem();
    }
    return wrong;
  }
  bool is_map() const { return node_.is(YamlNode::Kind::map); }

 private:
  const std::filesystem::path& file() const { return builder_.config().file; }

  static std::vector<std::string> texts(std::span<const std::string_view> words) {
    return {words.begin(), words.end()};
  }

  Result<std::string> one_of(std::string_view key, const YamlNode& node,
                             std::span<const std::string_view> allowed) {
    Result<std::string> text = read_text(file(), node);
    if (!text || std::ranges::find(allowed, *text) != allowed.end()) return text;
    const std::vector<std::string> names = texts(allowed);
    return std::unexpected(
        yaml_error(file(), node.line, node.column,
                   fmt::format("`{}` of `{}` is one of {}, not `{}`{}", key, mechanism_,
                               list(names), *text, did_you_mean(*text, names))));
  }

  std::unexpected<Error> missing(std::string_view key, std::string_view wanted) {
    std::vector<std::string> keys;
    for (const YamlNode& item : node_.items) keys.push_back(item.key);
    const std::string slip = nearest(key, keys);
    return std::unexpected(
        error(slip, fmt::format("`{}` needs `{}`: {}{}", mechanism_, key, wanted,
                                slip.empty() ? "" : "; is `" + slip + "` meant for it?")));
  }

  static constexpr std::string_view kOperand = "a model's or plan's name, or a mechanism";

  PlanBuilder& builder_;
  const std::string mechanism_;
  const YamlNode& node_;
  Fields fields_;
  std::string metrics_name_;  // once it has shown one
  std::vector<std::unique_ptr<PlanOptions>> maps_;
};

}  // namespace

Result<AnswererPtr> build_mechanism(PlanBuilder& builder, const mechanisms::Mechanism& mechanism,
                                    const YamlNode& options) {
  PlanOptions plan_options(builder, mechanism.name, options);
  if (!plan_options.is_map()) return std::unexpected(*plan_options.problem());
  Result<AnswererPtr> answerer = mechanism.build(plan_options);
  if (!answerer) return answerer;
  if (std::optional<Error> unknown = plan_options.problem()) {
    return std::unexpected(*std::move(unknown));
  }
  return answerer;
}

}  // namespace lichen::policy
