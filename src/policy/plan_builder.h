// Builds plans from their expressions, each once, and what they show, learn and mask by.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lichen/answerer.h"
#include "lichen/result.h"
#include "mechanisms/mechanism.h"
#include "policy/config.h"
#include "policy/plan.h"
#include "policy/yaml.h"
#include "privacy/detector_pool.h"

namespace lichen::policy {

/// For one configuration, which must outlive it.
class PlanBuilder {
 public:
  PlanBuilder(const Config& config, privacy::DetectorPool& detectors);

  /// `bad_config`: there is one of that name.
  Result<void> add_model(const std::string& name, AnswererPtr model);
  /// All of the configuration's; those that are `kept` as they are.
  Result<Plans> build_all(const KeptPlans& kept);

  /// A model's or plan's name, or a map of one mechanism.
  Result<mechanisms::Operand> build(const YamlNode& node);
  /// The same with every model in it replaced.
  Result<mechanisms::Operand> build_with(const YamlNode& node, mechanisms::EachModel each_model);

  /// The name under which a mechanism of the plan that is being built shows its metrics: Prometheus
  /// takes no two series with the same labels.
  std::string metrics_name(const std::string& mechanism);
  void add_metric(PlanMetric metric) { metrics_.push_back(std::move(metric)); }

  /// Of the plan that is being built.
  void add_learner(std::shared_ptr<mechanisms::Learner> learner);
  /// Of the plans that are being built: each holds the next.
  void add_redactor(const std::shared_ptr<mechanisms::Redactor>& redactor);

  const Config& config() const { return config_; }
  privacy::DetectorPool& detectors() { return detectors_; }
  /// Whether the models of what is being built are replaced: only a `mask` does that.
  bool within_mask() const { return !parts_.empty(); }
  /// The models that an expression names, as they are.
  std::vector<ModelPtr> models_of(const YamlNode& node) const;

 private:
  /// A part of a plan whose models are replaced, so that what it names is built for it alone.
  struct Part {
    mechanisms::EachModel each_model;
    Answerers built;
  };

  void keep(const KeptPlans& kept);
  Answerers& built() { return parts_.empty() ? built_ : parts_.back().built; }
  void add_redactor(const std::string& plan, const std::shared_ptr<mechanisms::Redactor>& redactor);
  Result<mechanisms::Operand> build_expression(const YamlNode& node);
  Result<AnswererPtr> build_plan(const PlanConfig& plan);
  Result<AnswererPtr> look_up(const YamlNode& node);
  /// From the innermost part to the outermost, each replaces what the one before has made.
  Result<AnswererPtr> model_of_part(const YamlNode& node);
  std::unexpected<Error> unknown_name(const YamlNode& node) const;
  std::unexpected<Error> unknown_mechanism(const YamlNode& options) const;
  std::unexpected<Error> not_a_plan(const YamlNode& node) const;
  std::unexpected<Error> error(const YamlNode& node, std::string_view what) const;

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

}  // namespace lichen::policy
