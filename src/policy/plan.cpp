#include "policy/plan.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "mechanisms/mechanism.h"
#include "policy/exposure.h"
#include "policy/fields.h"
#include "policy/identity.h"
#include "policy/nearest.h"
#include "policy/plan_models.h"

namespace lichen::policy {
namespace {

using mechanisms::Mechanism;
using mechanisms::Operand;

constexpr int kMaxPlanDepth = 64;  // mechanisms in mechanisms and plans in plans, together

constexpr std::string_view kPlanForm =
    "a plan is the name of a model or of another plan, or one mechanism with its options";

std::vector<std::string> mechanism_names() {
  std::vector<std::string> names;
  for (const Mechanism& mechanism : mechanisms::registry()) names.emplace_back(mechanism.name);
  return names;
}

const Mechanism* find_mechanism(std::string_view name) {
  const auto all = mechanisms::registry();
  const auto found = std::ranges::find(all, name, &Mechanism::name);
  return found == all.end() ? nullptr : &*found;
}

class PlanBuilder {
 public:
  PlanBuilder(const Config& config, privacy::DetectorPool& detectors)
      : config_(config), detectors_(detectors) {
    for (const PlanConfig& plan : config.plans) plans_.emplace(plan.name, &plan);
  }

  Result<void> add_model(const std::string& name, AnswererPtr model) {
    if (built_.emplace(name, std::move(model)).second) return {};
    return fail(Errc::bad_config, fmt::format("{}: there are two models `{}`: rename one",
                                              config_.file.string(), name));
  }

  /// The name under which a mechanism of the plan that is being built shows its metrics: Prometheus
  /// takes no two series with the same labels.
  std::string metrics_name(const std::string& mechanism) {
    const std::string& plan = in_progress_.back();
    const int number = ++showing_[{plan, mechanism}];
    return number == 1 ? plan : fmt::format("{}#{}", plan, number);
  }
  void add_metric(PlanMetric metric) { metrics_.push_back(std::move(metric)); }

  Result<Plans> build_all(const KeptPlans& kept) {
    for (const PlanConfig& plan : config_.plans) {
      if (!built_.contains(plan.name)) continue;
      return std::unexpected(yaml_error(
          config_.file, plan.expression.key_line, plan.expression.key_column,
          fmt::format("`{}` is already a model: plans and models share their names, so give the "
                      "plan another",
                      plan.name)));
    }
    keep(kept);
    for (const PlanConfig& plan : config_.plans) {
      if (built_.contains(plan.name)) continue;  // it is kept, or another plan refers to it
      Result<AnswererPtr> answerer = build_plan(plan);
      if (!answerer) return std::unexpected(std::move(answerer).error());
    }
    return Plans{.answerers = std::move(built_),
                 .metrics = std::move(metrics_),
                 .learners = std::move(learners_),
                 .redactors = std::move(redactors_)};
  }

  /// Of the plan that is being built.
  void add_learner(std::shared_ptr<mechanisms::Learner> learner) {
    std::string name = in_progress_.back();
    const auto same = [&](const NamedLearner& known) {
      return known.name == in_progress_.back() || known.name.starts_with(in_progress_.back() + "#");
    };
    if (const auto before = std::ranges::count_if(learners_, same); before > 0) {
      name += fmt::format("#{}", before + 1);
    }
    learners_.push_back({.name = std::move(name), .learner = std::move(learner)});
  }

  /// Of the plans that are being built: each holds the next.
  void add_redactor(const std::shared_ptr<mechanisms::Redactor>& redactor) {
    for (const std::string& plan : in_progress_) add_redactor(plan, redactor);
  }

  /// The same with every model in it replaced.
  Result<Operand> build_with(const YamlNode& node, mechanisms::EachModel each_model) {
    parts_.push_back({.each_model = std::move(each_model), .built = {}});
    Result<Operand> operand = build(node);
    parts_.pop_back();
    return operand;
  }

  /// A model's or plan's name, or a map of one mechanism.
  Result<Operand> build(const YamlNode& node) {
    if (depth_ >= kMaxPlanDepth) {
      return error(node, fmt::format("plans nested deeper than {} levels", kMaxPlanDepth));
    }
    ++depth_;
    Result<Operand> operand = build_expression(node);
    --depth_;
    return operand;
  }

  const Config& config() const { return config_; }
  privacy::DetectorPool& detectors() { return detectors_; }
  /// Whether the models of what is being built are replaced: only a `mask` does that.
  bool within_mask() const { return !parts_.empty(); }
  /// The models that an expression names, as they are.
  std::vector<ModelPtr> models_of(const YamlNode& node) const {
    std::vector<ModelPtr> models;
    for (const ModelConfig* config : models_below(config_, node)) {
      const auto found = built_.find(config->name);
      if (found == built_.end()) continue;
      if (auto model = std::dynamic_pointer_cast<Model>(found->second)) models.push_back(model);
    }
    return models;
  }

 private:
  /// A part of a plan whose models are replaced, so that what it names is built for it alone.
  struct Part {
    mechanisms::EachModel each_model;
    Answerers built;
  };

  void keep(const KeptPlans& kept) {
    // Mechanisms show and learn under their plan's name, the second of a kind with "#2" behind it.
    const auto is_kept = [&kept](std::string_view name) {
      return kept.names.contains(name.substr(0, name.find('#')));
    };
    for (const std::string& name : kept.names) {
      built_.emplace(name, kept.from->answerers.find(name)->second);
      const auto redactors = kept.from->redactors.find(name);
      if (redactors != kept.from->redactors.end()) redactors_.insert(*redactors);
    }
    if (kept.names.empty()) return;
    for (const PlanMetric& metric : kept.from->metrics) {
      if (is_kept(metric.plan)) metrics_.push_back(metric);
    }
    for (const NamedLearner& learner : kept.from->learners) {
      if (is_kept(learner.name)) learners_.push_back(learner);
    }
  }

  Answerers& built() { return parts_.empty() ? built_ : parts_.back().built; }

  void add_redactor(const std::string& plan,
                    const std::shared_ptr<mechanisms::Redactor>& redactor) {
    auto& known = redactors_[plan];
    if (std::ranges::find(known, redactor) == known.end()) known.push_back(redactor);
  }

  Result<AnswererPtr> build_mechanism(const Mechanism& mechanism, const YamlNode& options);

  Result<Operand> build_expression(const YamlNode& node) {
    if (node.is(YamlNode::Kind::scalar)) {
      Result<AnswererPtr> answerer = look_up(node);
      if (!answerer) return std::unexpected(std::move(answerer).error());
      return Operand{.name = node.text, .answerer = *std::move(answerer)};
    }
    if (!node.is(YamlNode::Kind::map) || node.items.size() != 1) return not_a_plan(node);
    const YamlNode& options = node.items.front();
    const Mechanism* mechanism = find_mechanism(options.key);
    if (mechanism == nullptr) return unknown_mechanism(options);
    Result<AnswererPtr> answerer = build_mechanism(*mechanism, options);
    if (!answerer) return std::unexpected(std::move(answerer).error());
    return Operand{.name = options.key, .answerer = *std::move(answerer)};
  }

  Result<AnswererPtr> build_plan(const PlanConfig& plan) {
    in_progress_.push_back(plan.name);
    Result<Operand> operand = build(plan.expression);
    in_progress_.pop_back();
    if (!operand) return std::unexpected(std::move(operand).error());
    return built().emplace(plan.name, std::move(operand->answerer)).first->second;
  }

  Result<AnswererPtr> look_up(const YamlNode& node) {
    if (const auto done = built().find(node.text); done != built().end()) {
      if (const auto known = redactors_.find(node.text); known != redactors_.end()) {
        const auto redactors = known->second;
        for (const auto& redactor : redactors) add_redactor(redactor);
      }
      return done->second;
    }
    if (!plans_.contains(node.text) && built_.contains(node.text)) return model_of_part(node);
    const auto plan = plans_.find(node.text);
    if (plan == plans_.end()) return unknown_name(node);
    const auto begun = std::ranges::find(in_progress_, node.text);
    if (begun != in_progress_.end()) {
      std::string circle;
      for (auto name = begun; name != in_progress_.end(); ++name) circle += '`' + *name + "` -> ";
      return error(node, fmt::format("plans in a circle: {}`{}`; one of them must name a model",
                                     circle, node.text));
    }
    return build_plan(*plan->second);
  }

  /// From the innermost part to the outermost, each replaces what the one before has made.
  Result<AnswererPtr> model_of_part(const YamlNode& node) {
    auto model = std::dynamic_pointer_cast<Model>(built_.find(node.text)->second);
    for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
      Result<ModelPtr> other = part->each_model(std::move(model));
      if (!other) return error(node, other.error().detail);
      model = *std::move(other);
    }
    return built().emplace(node.text, std::move(model)).first->second;
  }

  std::unexpected<Error> unknown_name(const YamlNode& node) const {
    if (find_mechanism(node.text) != nullptr) {
      return error(node, fmt::format("`{0}` is a mechanism and needs its options: `{0}: {{...}}`",
                                     node.text));
    }
    std::vector<std::string> names;
    for (const auto& [name, answerer] : built_) names.push_back(name);
    for (const PlanConfig& plan : config_.plans) {
      if (!built_.contains(plan.name)) names.push_back(plan.name);
    }
    std::ranges::sort(names);
    return error(node, fmt::format("there is no model or plan `{}`{}; there are: {}", node.text,
                                   did_you_mean(node.text, names), list(names)));
  }

  std::unexpected<Error> unknown_mechanism(const YamlNode& options) const {
    const std::vector<std::string> names = mechanism_names();
    return std::unexpected(
        yaml_error(config_.file, options.key_line, options.key_column,
                   fmt::format("there is no mechanism `{}`{}; there are: {}", options.key,
                               did_you_mean(options.key, names), list(names))));
  }

  std::unexpected<Error> not_a_plan(const YamlNode& node) const {
    if (!node.is(YamlNode::Kind::map) || node.items.empty()) return error(node, kPlanForm);
    const YamlNode& first = node.items.front();
    std::vector<std::string> keys;
    for (const YamlNode& item : node.items) keys.push_back(item.key);
    const bool flat = find_mechanism(first.key) != nullptr && first.is(YamlNode::Kind::null);
    return error(
        node,
        fmt::format("{}; here are {} keys: {}{}", kPlanForm, keys.size(), list(keys),
                    flat ? fmt::format(" (indent the options of `{}` under it)", first.key) : ""));
  }

  std::unexpected<Error> error(const YamlNode& node, std::string_view what) const {
    return std::unexpected(yaml_error(config_.file, node.line, node.column, what));
  }

  const Config& config_;
  privacy::DetectorPool& detectors_;
  std::map<std::string_view, const PlanConfig*> plans_;
  Answerers built_;          // models, and plans that are done
  std::vector<Part> parts_;  // that are being built, from the outermost to the innermost
  std::vector<PlanMetric> metrics_;
  std::map<std::pair<std::string, std::string>, int> showing_;  // mechanisms, by plan and name
  std::vector<NamedLearner> learners_;
  Redactors redactors_;
  std::vector<std::string> in_progress_;  // from the outermost to the innermost
  int depth_ = 0;
};

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

Result<AnswererPtr> PlanBuilder::build_mechanism(const Mechanism& mechanism,
                                                 const YamlNode& options) {
  PlanOptions plan_options(*this, mechanism.name, options);
  if (!plan_options.is_map()) return std::unexpected(*plan_options.problem());
  Result<AnswererPtr> answerer = mechanism.build(plan_options);
  if (!answerer) return answerer;
  if (std::optional<Error> unknown = plan_options.problem()) {
    return std::unexpected(*std::move(unknown));
  }
  return answerer;
}

/// Stands for a model that is not loaded yet.
class DeclaredModel : public Model {
 public:
  DeclaredModel(std::string name, bool local, bool continues)
      : name_(std::move(name)), local_(local), continues_(continues) {}
  const std::string& name() const override { return name_; }
  bool local() const override { return local_; }
  std::int64_t context_length() const override { return 0; }
  bool continues() const override { return continues_; }
  awaitable<Result<Answer>> answer(Request, Turn&) override { co_return not_loaded(); }
  awaitable<Result<Embeddings>> embed(std::vector<std::string>, Turn&) override {
    co_return not_loaded();
  }

 private:
  std::unexpected<Error> not_loaded() const {
    return fail(Errc::internal, fmt::format("model `{}` is not loaded", name_));
  }

  const std::string name_;
  const bool local_;
  const bool continues_;
};

}  // namespace

Result<Plans> build_plans(const Config& config, const std::vector<ModelPtr>& models,
                          privacy::DetectorPool& detectors, const KeptPlans& kept) {
  PlanBuilder builder(config, detectors);
  for (const ModelPtr& model : models) {
    Result<void> added = builder.add_model(model->name(), model);
    if (!added) return std::unexpected(std::move(added).error());
  }
  return builder.build_all(kept);
}

Result<std::vector<std::string>> check_plans(const Config& config,
                                             const std::vector<ModelPtr>& others,
                                             privacy::DetectorPool& detectors) {
  std::vector<ModelPtr> models = others;
  for (const ModelConfig& model : config.models) {
    const auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    const auto* remote = std::get_if<model::RemoteModelOptions>(&model.options);
    const bool continues = remote == nullptr || remote->continues != model::Continuation::none;
    models.push_back(std::make_shared<DeclaredModel>(model.name, local != nullptr, continues));
    if (local == nullptr) continue;
    for (const model::AdapterOptions& adapter : local->adapters) {
      models.push_back(
          std::make_shared<DeclaredModel>(model.name + "+" + adapter.name, true, true));
    }
  }
  const Result<Plans> plans = build_plans(config, models, detectors);
  if (!plans) return std::unexpected(plans.error());
  std::vector<std::string> names;
  for (const auto& [name, answerer] : plans->answerers) names.push_back(name);
  return names;
}

}  // namespace lichen::policy
