#include "cli/plan_calibration.h"

#include <algorithm>
#include <utility>

#include "eval/fingerprint.h"
#include "eval/plan_calibration.h"
#include "policy/identity.h"

namespace lichen::cli {
namespace {

/// The name by which an operand can be measured alone; an expression becomes a plan of its own.
std::string operand_alone(policy::Config& config, const policy::YamlNode& operand,
                          const std::string& plan) {
  if (operand.is(policy::YamlNode::Kind::scalar)) return operand.text;
  config.plans.push_back({.name = operand.key + "-of-" + plan, .expression = operand});
  return config.plans.back().name;
}

}  // namespace

Result<mechanisms::PlanCalibration> calibrate_plan(const Invocation& invocation,
                                                   const std::string& plan,
                                                   const EvaluationOptions& options,
                                                   const std::string& output) {
  const auto suite = load_suite(options);
  if (!suite) return std::unexpected(suite.error());
  const auto loaded = load_chosen_config(invocation.config);
  if (!loaded) return std::unexpected(loaded.error());
  const auto mechanism = policy::choosing_mechanism(*loaded, plan);
  if (!mechanism) return std::unexpected(mechanism.error());
  auto identity = policy::mechanism_identity(*loaded, **mechanism);
  if (!identity) return std::unexpected(identity.error());

  auto config = policy::without_calibrations(*loaded);
  const eval::CalibratedPlan calibrated{
      .plan = plan,
      .mechanism = (*mechanism)->key,
      .small = operand_alone(config, *(*mechanism)->find("small"), plan),
      .large = operand_alone(config, *(*mechanism)->find("large"), plan)};
  auto host = Host::open(eval::for_measuring(std::move(config)));
  if (!host) return std::unexpected(host.error());
  const auto outcomes = measured(**host, *suite,
                                 {.plans = {calibrated.small, calibrated.large, plan},
                                  .concurrency = options.concurrency,
                                  .max_tokens = options.max_tokens});
  if (!outcomes) return std::unexpected(outcomes.error());
  const auto requests = eval::scored_requests(*outcomes, calibrated);
  if (!requests) return std::unexpected(requests.error());

  mechanisms::PlanCalibration calibration;
  calibration.valid_for = *std::move(identity);
  calibration.counts = mechanisms::calibrate(*requests, mechanisms::plan_thresholds());
  calibration.counts.data_hash = eval::fingerprint(*suite);
  const auto saved = mechanisms::save_plan_calibration(calibration, output);
  if (!saved) return std::unexpected(saved.error());
  return calibration;
}

}  // namespace lichen::cli
