// `lichen route calibrate --plan` of a handover.
#include <spdlog/fmt/fmt.h>

#include <utility>
#include <vector>

#include "cli/handover_plan.h"
#include "mechanisms/routing/critical_token.h"
#include "policy/identity.h"

namespace lichen::cli {
namespace {

using mechanisms::Criterion;

/// The one that the handover names, or the default.
Result<const Criterion*> criterion_of(const policy::YamlNode& handover) {
  const policy::YamlNode* by = handover.find("by");
  if (by == nullptr) return &mechanisms::criteria().front();
  const Criterion* criterion = mechanisms::find_criterion(by->text);
  if (criterion != nullptr) return criterion;
  return fail(Errc::bad_config, fmt::format("`by` of `handover`: there is no `{}`", by->text));
}

/// The name of the model, which the plan may call by another.
Result<std::string> model_name(const Runtime& runtime, const std::string& name) {
  const auto found = runtime.find(name);
  if (!found) return std::unexpected(found.error());
  const auto model = std::dynamic_pointer_cast<Model>(*found);
  return model != nullptr ? model->name() : name;
}

}  // namespace

Result<mechanisms::PlanCalibration> calibrate_handover(PlanSubject of, const eval::Suite& suite,
                                                       const EvaluationOptions& options,
                                                       const mechanisms::RiskTarget& target) {
  const auto criterion = criterion_of(of.mechanism);
  if (!criterion) return std::unexpected(criterion.error());
  const auto at = [&](double threshold) {
    return fmt::format("{} at {}", of.plan.plan, threshold);
  };
  for (const double threshold : (*criterion)->sequence) {
    of.config.plans.push_back(policy::at_threshold(of.mechanism, threshold, at(threshold)));
  }
  auto host = Host::open(std::move(of.config));
  if (!host) return std::unexpected(host.error());
  const auto large = model_name((*host)->runtime(), of.plan.large);
  if (!large) return std::unexpected(large.error());
  const auto run = [&](const std::string& name) {
    return measured(**host, suite,
                    {.plans = {name},
                     .large = {*large},
                     .concurrency = options.concurrency,
                     .max_tokens = options.max_tokens});
  };
  const auto alone = run(of.plan.large);
  if (!alone) return std::unexpected(alone.error());

  mechanisms::PlanCalibration calibration{.valid_for = std::move(of.identity), .counts = {}};
  mechanisms::Calibration& counts = calibration.counts;
  counts.n = std::ssize(*alone);
  for (const double threshold : (*criterion)->sequence) {
    const auto outcomes = run(at(threshold));
    if (!outcomes) return std::unexpected(outcomes.error());
    auto point = eval::handover_point(*outcomes, *alone);
    if (!point) return std::unexpected(point.error());
    point->threshold = (*criterion)->turned(threshold);
    counts.grid.push_back(*point);
    // The later ones are not tested any more, whatever they would show.
    if (mechanisms::binomial_tail(point->losses, counts.n, target.alpha) > target.delta) break;
  }
  return calibration;
}

}  // namespace lichen::cli
