#include "cli/distill_promotion.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <utility>

#include "base/sha256.h"
#include "cli/evaluation.h"
#include "eval/baselines.h"
#include "mechanisms/distillation/model_versions.h"
#include "policy/nearest.h"

namespace lichen::cli {
namespace {

constexpr const char* kCandidate = "candidate";

}  // namespace

Result<model::LocalModelOptions*> model_with_versions(policy::Config& config,
                                                      const std::string& name) {
  std::vector<std::string> names;
  for (policy::ModelConfig& model : config.models) {
    names.push_back(model.name);
    if (model.name != name) continue;
    auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    if (local != nullptr && !local->versions.empty()) return local;
    return fail(
        Errc::bad_config,
        fmt::format("`{0}` keeps no versions; give it a folder for them in {1}: `{0}: {{gguf: "
                    "..., versions: FOLDER}}`{2}",
                    name, config.file.string(),
                    local == nullptr ? " (and only a local model can)" : ""));
  }
  return fail(Errc::not_found, fmt::format("there is no model `{}`{}; there are: {}", name,
                                           policy::did_you_mean(name, names), policy::list(names)));
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

Result<int> take_up(policy::Config& config, const Candidate& candidate, const std::string& why) {
  const auto model = model_with_versions(config, candidate.model);
  if (!model) return std::unexpected(model.error());
  const auto base = base::file_identity((*model)->gguf);
  if (!base) return std::unexpected(base.error());
  auto versions = mechanisms::ModelVersions::open((*model)->versions);
  if (!versions) return std::unexpected(versions.error());
  return versions->add(candidate.adapter, *base, why);
}

std::string stale_text(const std::vector<policy::BoundFile>& stale, const std::string& model) {
  if (stale.empty()) return {};
  std::string text = fmt::format(
      "stale: made with the version of {} before, so plans that name it will not load, and a "
      "running server goes on with that version:\n",
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
