#include "cli/plan_calibration.h"

#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "cli/plan_subject.h"
#include "eval/fingerprint.h"
#include "eval/plan_calibration.h"
#include "mechanisms/routing/learned_confidence.h"
#include "policy/identity.h"

namespace lichen::cli {

Result<mechanisms::PlanCalibration> calibrate_plan(const Invocation& invocation,
                                                   const std::string& plan,
                                                   const EvaluationOptions& options,
                                                   const std::string& output) {
  const auto suite = load_suite(options);
  if (!suite) return std::unexpected(suite.error());
  auto of = plan_subject(invocation, plan, policy::without_calibrations);
  if (!of) return std::unexpected(of.error());
  auto host = Host::open(std::move(of->config));
  if (!host) return std::unexpected(host.error());
  const auto outcomes = measured(**host, *suite,
                                 {.plans = {of->plan.small, of->plan.large, plan},
                                  .concurrency = options.concurrency,
                                  .max_tokens = options.max_tokens});
  if (!outcomes) return std::unexpected(outcomes.error());
  const auto requests = eval::scored_requests(*outcomes, of->plan);
  if (!requests) return std::unexpected(requests.error());

  mechanisms::PlanCalibration calibration;
  calibration.valid_for = std::move(of->identity);
  calibration.counts = mechanisms::calibrate(*requests, mechanisms::plan_thresholds());
  calibration.counts.data_hash = eval::fingerprint(*suite);
  const auto saved = mechanisms::save_plan_calibration(calibration, output);
  if (!saved) return std::unexpected(saved.error());
  return calibration;
}

Result<std::size_t> train_plan(const Invocation& invocation, const std::string& plan,
                               const EvaluationOptions& options, const std::string& output) {
  const auto suite = load_suite(options);
  if (!suite) return std::unexpected(suite.error());
  auto of = plan_subject(invocation, plan, policy::without_learned);
  if (!of) return std::unexpected(of.error());
  auto host = Host::open(std::move(of->config));
  if (!host) return std::unexpected(host.error());
  std::map<std::size_t, mechanisms::JudgedAnswer> answers;
  const auto outcomes =
      measured(**host, *suite,
               {.plans = {of->plan.small, of->plan.large},
                .concurrency = options.concurrency,
                .max_tokens = options.max_tokens,
                .top_logprobs = mechanisms::kFeatureAlternatives,
                .answered = [&](std::string_view by, std::size_t task, const Answer& answer) {
                  if (by != of->plan.small || answer.tokens.empty()) return;
                  answers[task].features = mechanisms::answer_features(answer.tokens);
                }});
  if (!outcomes) return std::unexpected(outcomes.error());
  for (const eval::Outcome& outcome : *outcomes) {
    const auto answer = answers.find(outcome.task);
    if (answer == answers.end()) continue;
    (outcome.plan == of->plan.small ? answer->second.small_right : answer->second.large_right) =
        outcome.right;
  }
  std::vector<mechanisms::JudgedAnswer> usable;
  for (const auto& [task, answer] : answers) {
    if (!std::isnan(answer.features[0])) usable.push_back(answer);
  }
  auto learned = mechanisms::train_confidence(usable);
  if (!learned) return std::unexpected(learned.error());
  const auto* small = of->identity.if_contains("small");
  if (small != nullptr && small->is_object()) learned->small = small->get_object();
  const auto saved = mechanisms::save_learned(*learned, output);
  if (!saved) return std::unexpected(saved.error());
  return usable.size();
}

}  // namespace lichen::cli
