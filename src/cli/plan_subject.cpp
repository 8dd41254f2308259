#include "cli/plan_subject.h"

#include <utility>

#include "eval/baselines.h"
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

Result<PlanSubject> plan_subject(const policy::Config& config, const std::string& plan,
                                 policy::Config (*prepared)(policy::Config)) {
  const auto mechanism = policy::choosing_mechanism(config, plan);
  if (!mechanism) return std::unexpected(mechanism.error());
  auto identity = policy::mechanism_identity(config, **mechanism);
  if (!identity) return std::unexpected(identity.error());
  PlanSubject subject{
      .config = eval::for_measuring(prepared(config)),
      .plan = {.plan = plan, .mechanism = (*mechanism)->key, .small = {}, .large = {}},
      .mechanism = **mechanism,
      .identity = *std::move(identity)};
  subject.plan.small = operand_alone(subject.config, *subject.mechanism.find("small"), plan);
  subject.plan.large = operand_alone(subject.config, *subject.mechanism.find("large"), plan);
  return subject;
}

Result<std::string> choosing_key(const policy::Config& config, const std::string& plan) {
  const auto mechanism = policy::choosing_mechanism(config, plan);
  if (!mechanism) return std::unexpected(mechanism.error());
  return (*mechanism)->key;
}

}  // namespace lichen::cli
