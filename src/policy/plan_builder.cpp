#include "policy/plan_builder.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "policy/fields.h"
#include "policy/nearest.h"
#include "policy/plan_models.h"
#include "policy/plan_options.h"

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

}  // namespace

PlanBuilder::PlanBuilder(const Config& config, privacy::DetectorPool& detectors)
    : config_(config), detectors_(detectors) {
  for (const PlanConfig& plan : config.plans) plans_.emplace(plan.name, &plan);
}

Result<void> PlanBuilder::add_model(const std::string& name, AnswererPtr model) {
  if (built_.emplace(name, std::move(model)).second) return {};
  return fail(Errc::bad_config, fmt::format("{}: there are two models `{}`: rename one",
                                            config_.file.string(), name));
}

std::string PlanBuilder::metrics_name(const std::string& mechanism) {
  const std::string& plan = in_progress_.back();
  const int number = ++showing_[{plan, mechanism}];
  return number == 1 ? plan : fmt::format("{}#{}", plan, number);
}

Result<Plans> PlanBuilder::build_all(const KeptPlans& kept) {
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

void PlanBuilder::add_learner(std::shared_ptr<mechanisms::Learner> learner) {
  std::string name = in_progress_.back();
  const auto same = [&](const NamedLearner& known) {
    return known.name == in_progress_.back() || known.name.starts_with(in_progress_.back() + "#");
  };
  if (const auto before = std::ranges::count_if(learners_, same); before > 0) {
    name += fmt::format("#{}", before + 1);
  }
  learners_.push_back({.name = std::move(name), .learner = std::move(learner)});
}

void PlanBuilder::add_redactor(const std::shared_ptr<mechanisms::Redactor>& redactor) {
  for (const std::string& plan : in_progress_) add_redactor(plan, redactor);
}

Result<Operand> PlanBuilder::build_with(const YamlNode& node, mechanisms::EachModel each_model) {
  parts_.push_back({.each_model = std::move(each_model), .built = {}});
  Result<Operand> operand = build(node);
  parts_.pop_back();
  return operand;
}

Result<Operand> PlanBuilder::build(const YamlNode& node) {
  if (depth_ >= kMaxPlanDepth) {
    return error(node, fmt::format("plans nested deeper than {} levels", kMaxPlanDepth));
  }
  ++depth_;
  Result<Operand> operand = build_expression(node);
  --depth_;
  return operand;
}

std::vector<ModelPtr> PlanBuilder::models_of(const YamlNode& node) const {
  std::vector<ModelPtr> models;
  for (const ModelConfig* config : models_below(config_, node)) {
    const auto found = built_.find(config->name);
    if (found == built_.end()) continue;
    if (auto model = std::dynamic_pointer_cast<Model>(found->second)) models.push_back(model);
  }
  return models;
}

void PlanBuilder::keep(const KeptPlans& kept) {
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

void PlanBuilder::add_redactor(const std::string& plan,
                               const std::shared_ptr<mechanisms::Redactor>& redactor) {
  auto& known = redactors_[plan];
  if (std::ranges::find(known, redactor) == known.end()) known.push_back(redactor);
}

Result<Operand> PlanBuilder::build_expression(const YamlNode& node) {
  if (node.is(YamlNode::Kind::scalar)) {
    Result<AnswererPtr> answerer = look_up(node);
    if (!answerer) return std::unexpected(std::move(answerer).error());
    return Operand{.name = node.text, .answerer = *std::move(answerer)};
  }
  if (!node.is(YamlNode::Kind::map) || node.items.size() != 1) return not_a_plan(node);
  const YamlNode& options = node.items.front();
  const Mechanism* mechanism = find_mechanism(options.key);
  if (mechanism == nullptr) return unknown_mechanism(options);
  Result<AnswererPtr> answerer = build_mechanism(*this, *mechanism, options);
  if (!answerer) return std::unexpected(std::move(answerer).error());
  return Operand{.name = options.key, .answerer = *std::move(answerer)};
}

Result<AnswererPtr> PlanBuilder::build_plan(const PlanConfig& plan) {
  in_progress_.push_back(plan.name);
  Result<Operand> operand = build(plan.expression);
  in_progress_.pop_back();
  if (!operand) return std::unexpected(std::move(operand).error());
  return built().emplace(plan.name, std::move(operand->answerer)).first->second;
}

Result<AnswererPtr> PlanBuilder::look_up(const YamlNode& node) {
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

Result<AnswererPtr> PlanBuilder::model_of_part(const YamlNode& node) {
  auto model = std::dynamic_pointer_cast<Model>(built_.find(node.text)->second);
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    Result<ModelPtr> other = part->each_model(std::move(model));
    if (!other) return error(node, other.error().detail);
    model = *std::move(other);
  }
  return built().emplace(node.text, std::move(model)).first->second;
}

std::unexpected<Error> PlanBuilder::unknown_name(const YamlNode& node) const {
  if (find_mechanism(node.text) != nullptr) {
    return error(
        node, fmt::format("`{0}` is a mechanism and needs its options: `{0}: {{...}}`", node.text));
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

std::unexpected<Error> PlanBuilder::unknown_mechanism(const YamlNode& options) const {
  const std::vector<std::string> names = mechanism_names();
  return std::unexpected(
      yaml_error(config_.file, options.key_line, options.key_column,
                 fmt::format("there is no mechanism `{}`{}; there are: {}", options.key,
                             did_you_mean(options.key, names), list(names))));
}

std::unexpected<Error> PlanBuilder::not_a_plan(const YamlNode& node) const {
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

std::unexpected<Error> PlanBuilder::error(const YamlNode& node, std::string_view what) const {
  return std::unexpected(yaml_error(config_.file, node.line, node.column, what));
}

}  // namespace lichen::policy
