#include "cli/plan_calibration.h"

#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <cmath>
#include <exception>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "cli/handover_plan.h"
#include "cli/plan_subject.h"
#include "eval/fingerprint.h"
#include "eval/plan_calibration.h"
#include "eval/tasks/sample.h"
#include "mechanisms/routing/learned_confidence.h"
#include "policy/identity.h"

namespace lichen::cli {

namespace {

namespace json = boost::json;

/// Of a plan that goes by a score: what it said of each prompt, and whether its small and large
/// alone were right.
Result<mechanisms::PlanCalibration> calibrate_score(PlanSubject of, const eval::Suite& suite,
                                                    const EvaluationOptions& options) {
  auto host = Host::open(std::move(of.config));
  if (!host) return std::unexpected(host.error());
  const auto outcomes = measured(**host, suite,
                                 {.plans = {of.plan.small, of.plan.large, of.plan.plan},
                                  .concurrency = options.concurrency,
                                  .max_tokens = options.max_tokens});
  if (!outcomes) return std::unexpected(outcomes.error());
  const auto requests = eval::scored_requests(*outcomes, of.plan);
  if (!requests) return std::unexpected(requests.error());
  return mechanisms::PlanCalibration{
      .valid_for = std::move(of.identity),
      .counts = mechanisms::calibrate(*requests, mechanisms::plan_thresholds())};
}

json::object to_json(const EvaluationOptions& options, const mechanisms::RiskTarget& target) {
  const bool generated = eval::tasks::split_named(options.suite).has_value();
  json::object object{
      {"suite", generated ? options.suite : std::filesystem::absolute(options.suite).string()},
      {"seed", options.seed},
      {"quick", options.quick},
      {"families", json::value_from(options.families)},
      {"levels", json::value_from(options.levels)},
      {"concurrency", options.concurrency},
      {"alpha", target.alpha},
      {"delta", target.delta}};
  if (options.limit) object["limit"] = *options.limit;
  if (options.max_tokens) object["max_tokens"] = *options.max_tokens;
  return object;
}

CalibrationOptions from_json(const json::object& object) {
  CalibrationOptions options;
  EvaluationOptions& measuring = options.measuring;
  measuring.suite = json::value_to<std::string>(object.at("suite"));
  measuring.seed = json::value_to<std::uint64_t>(object.at("seed"));
  measuring.quick = json::value_to<bool>(object.at("quick"));
  measuring.families = json::value_to<std::vector<std::string>>(object.at("families"));
  measuring.levels = json::value_to<std::vector<int>>(object.at("levels"));
  measuring.concurrency = json::value_to<int>(object.at("concurrency"));
  if (object.contains("limit")) {
    measuring.limit = json::value_to<std::size_t>(object.at("limit"));
  }
  if (object.contains("max_tokens")) {
    measuring.max_tokens = json::value_to<int>(object.at("max_tokens"));
  }
  options.target = {.alpha = json::value_to<double>(object.at("alpha")),
                    .delta = json::value_to<double>(object.at("delta"))};
  return options;
}

}  // namespace

Result<mechanisms::PlanCalibration> calibrate_plan(const policy::Config& config,
                                                   const std::string& plan,
                                                   const EvaluationOptions& options,
                                                   const mechanisms::RiskTarget& target,
                                                   const std::string& output) {
  const auto suite = load_suite(options);
  if (!suite) return std::unexpected(suite.error());
  auto of = plan_subject(config, plan, policy::without_calibrations);
  if (!of) return std::unexpected(of.error());
  auto calibration = of->plan.mechanism == "handover"
                         ? calibrate_handover(*std::move(of), *suite, options, target)
                         : calibrate_score(*std::move(of), *suite, options);
  if (!calibration) return calibration;
  calibration->counts.data_hash = eval::fingerprint(*suite);
  calibration->made_with = to_json(options, target);
  const auto saved = mechanisms::save_plan_calibration(*calibration, output);
  if (!saved) return std::unexpected(saved.error());
  return calibration;
}

Result<CalibrationOptions> made_with(const mechanisms::PlanCalibration& calibration) {
  try {
    return from_json(calibration.made_with);
  } catch (const std::exception&) {
    return fail(
        Errc::bad_model,
        "it does not say what it was made with: make it by `lichen route calibrate --plan`");
  }
}

Result<std::size_t> train_plan(const policy::Config& config, const std::string& plan,
                               const EvaluationOptions& options, const std::string& output) {
  const auto suite = load_suite(options);
  if (!suite) return std::unexpected(suite.error());
  auto of = plan_subject(config, plan, policy::without_learned);
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
