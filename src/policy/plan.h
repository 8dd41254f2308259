// Plans: expressions of models and mechanisms, built into answerers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/mechanism.h"
#include "policy/config.h"
#include "privacy/detector_pool.h"

namespace lichen::policy {

using Answerers = std::map<std::string, AnswererPtr, std::less<>>;

/// By the plan that its mechanism stands in; where that has two of one kind, the second has "#2" at
/// the end of the plan's name.
struct PlanMetric {
  std::string plan;
  mechanisms::Metric metric;
};

/// By the plan that it belongs to; the second one of a plan has "#2" at the end.
struct NamedLearner {
  std::string name;
  std::shared_ptr<mechanisms::Learner> learner;
};

/// By the name of the plan.
using Redactors =
    std::map<std::string, std::vector<std::shared_ptr<mechanisms::Redactor>>, std::less<>>;

struct Plans {
  Answerers answerers;  // plans and models
  std::vector<PlanMetric> metrics;
  std::vector<NamedLearner> learners;
  Redactors redactors;
};

/// Plans of an earlier configuration that are taken over as they are, with all that they know.
struct KeptPlans {
  const Plans* from = nullptr;
  std::set<std::string, std::less<>> names = {};
};

/// All plans and models by name. What a plan cannot be is `bad_config` with file, line, and what
/// would be right: an unknown name or mechanism, a circle of plans, a missing or unknown option.
/// `detectors`: those of mechanisms that look for private values. Plans that name each other are
/// `kept` together or not at all.
Result<Plans> build_plans(const Config& config, const std::vector<ModelPtr>& models,
                          privacy::DetectorPool& detectors, const KeptPlans& kept = {});

/// Finds the same errors before any model is there: nobody wants to hear of a misspelt plan after
/// minutes of loading. `others` are models that the configuration does not describe. Brings back
/// the names of all plans and models, sorted.
Result<std::vector<std::string>> check_plans(const Config& config,
                                             const std::vector<ModelPtr>& others,
                                             privacy::DetectorPool& detectors);

}  // namespace lichen::policy
