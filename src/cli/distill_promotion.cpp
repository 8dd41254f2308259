#include "cli/distill_promotion.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <utility>

#include "base/sha256.h"
#include "cli/distill_students.h"
#include "cli/evaluation.h"
#include "cli/plan_calibration.h"
#include "eval/baselines.h"
#include "mechanisms/distillation/model_versions.h"
#include "mechanisms/routing/calibration_file.h"
#include "policy/identity.h"

namespace lichen::cli {
namespace {

constexpr const char* kCandidate = "candidate";

Result<policy::Config> pinned(policy::Config config, const std::string& name, int version) {
  const auto model = model_with_versions(config, name);
  if (!model) return std::unexpected(model.error());
  (*model)->version = version;
  return config;
}

/// What a calibration says of a plan at the plan's own risk.
std::string said_of(const policy::Config& config, const policy::BoundFile& file) {
  const auto plan = std::ranges::find(config.plans, file.plan, &policy::PlanConfig::name);
  if (plan == config.plans.end()) return {};
  const auto notes = policy::risk_notes(config, *plan);
  return notes.empty() ? "" : notes.front();
}

Result<std::vector<Recalibrated>> recalibrated(const policy::Config& before,
                                               const std::string& model, int version) {
  const auto bound = policy::bound_files(before, model);
  for (const policy::BoundFile& file : bound) {
    if (file.calibration) continue;
    return fail(Errc::bad_request,
                "not promoted: of what was made with the version before, calibrations alone can "
                "be made anew unasked; promote without --recalibrate, then " +
                    how_to_make_anew(file));
  }
  const auto after = pinned(before, model, version);
  if (!after) return std::unexpected(after.error());
  std::vector<Recalibrated> done;
  for (const policy::BoundFile& file : bound) {
    const auto failed = [&file](const Error& error) {
      return fail(error.code, fmt::format("not promoted: {} (plan {}): {}", file.file.string(),
                                          file.plan, error.detail));
    };
    const auto all = mechanisms::load_plan_calibrations(file.file);
    if (!all) return failed(all.error());
    const auto options = made_with(all->front());
    if (!options) return failed(options.error());
    Recalibrated plan{
        .plan = file.plan, .file = file.file, .before = said_of(before, file), .after = {}};
    const auto counted =
        calibrate_plan(*after, file.plan, options->measuring, options->target, file.file.string());
    if (!counted) return failed(counted.error());
    plan.after = said_of(*after, file);
    done.push_back(std::move(plan));
  }
  return done;
}

}  // namespace

Result<model::LocalModelOptions*> model_with_versions(policy::Config& config,
                                                      const std::string& name) {
  const auto model = model_named(config, name);
  if (!model) return std::unexpected(model.error());
  auto* local = std::get_if<model::LocalModelOptions>(&(*model)->options);
  if (local != nullptr && !local->versions.empty()) return local;
  return fail(
      Errc::bad_config,
      fmt::format("`{0}` keeps no versions; give it a folder for them in {1}: `{0}: {{gguf: ..., "
                  "versions: FOLDER}}`{2}",
                  name, config.file.string(),
                  local == nullptr ? " (and only a local model can)" : ""));
}

Result<eval::Promotion> compare(policy::Config config, const Candidate& candidate,
                                const eval::Suite& suite, const Comparison& how) {
  const auto model = model_with_versions(config, candidate.model);
  if (!model) return std::unexpected(model.error());
  (*model)->adapters = {{.name = kCandidate, .gguf = candidate.adapter}};
  config.serve.plan.clear();
  const auto is_model = [&](const std::string& name) {
    return std::ranges::find(config.models, name, &policy::ModelConfig::name) !=
           config.models.end();
  };
  if (how.judge.empty() || is_model(how.judge)) {  // plans may wait for what is to be made anew
    config.plans.clear();
    std::erase_if(config.models, [&](const auto& each) {
      return each.name != candidate.model && each.name != how.judge;
    });
  }
  auto host = Host::open(eval::for_measuring(std::move(config)));
  if (!host) return std::unexpected(host.error());
  const std::string other = candidate.model + "+" + kCandidate;
  eval::MeasureOptions measuring{
      .plans = {candidate.model, other}, .judge = how.judge, .concurrency = how.concurrency};
  if (auto good = eval::check_options((*host)->runtime(), suite, measuring); !good) {
    return std::unexpected(good.error());
  }
  const auto outcomes = measured(**host, suite, std::move(measuring));
  if (!outcomes) return std::unexpected(outcomes.error());
  return eval::judge_promotion(suite, *outcomes, candidate.model, other, how.rule);
}

Result<NewVersion> take_up(policy::Config config, const Candidate& candidate,
                           const std::string& why, bool recalibrate) {
  const auto model = model_with_versions(config, candidate.model);
  if (!model) return std::unexpected(model.error());
  const auto base = base::file_identity((*model)->gguf);
  if (!base) return std::unexpected(base.error());
  auto versions = mechanisms::ModelVersions::open((*model)->versions);
  if (!versions) return std::unexpected(versions.error());
  const auto number = versions->keep(candidate.adapter, *base, why);
  if (!number) return std::unexpected(number.error());
  NewVersion version{.number = *number};
  if (recalibrate) {
    auto done = recalibrated(config, candidate.model, *number);
    if (!done) return std::unexpected(done.error());
    version.recalibrated = *std::move(done);
  }
  if (auto used = versions->use(*number); !used) return std::unexpected(used.error());
  version.stale = policy::stale_files(config, candidate.model);
  return version;
}

std::string recalibrated_text(const std::vector<Recalibrated>& plans) {
  std::string text;
  for (const Recalibrated& plan : plans) {
    text += fmt::format("{} ({}):\n  before: {}\n  now:    {}\n", plan.plan, plan.file.string(),
                        plan.before, plan.after);
  }
  return text;
}

boost::json::array json_of(const std::vector<Recalibrated>& plans) {
  boost::json::array list;
  for (const Recalibrated& plan : plans) {
    list.push_back(boost::json::object{{"plan", plan.plan},
                                       {"file", plan.file.string()},
                                       {"before", plan.before},
                                       {"after", plan.after}});
  }
  return list;
}

std::string stale_text(const std::vector<policy::BoundFile>& stale, const std::string& model) {
  if (stale.empty()) return {};
  std::string text = fmt::format(
      "stale: made with the version of {} before, so plans that name it do not load until it is "
      "made "
      "anew, and a running server goes on with that version:\n",
      model);
  for (const policy::BoundFile& file : stale) text += "  " + how_to_make_anew(file) + "\n";
  return text;
}

boost::json::array json_of(const std::vector<policy::BoundFile>& stale) {
  boost::json::array list;
  for (const policy::BoundFile& file : stale) {
    boost::json::array commands;
    for (const std::string& command : file.commands) commands.emplace_back(command);
    list.push_back(
        {{"file", file.file.string()}, {"plan", file.plan}, {"commands", std::move(commands)}});
  }
  return list;
}

}  // namespace lichen::cli
