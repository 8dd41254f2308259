#include "policy/identity.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "base/sha256.h"
#include "mechanisms/distillation/model_versions.h"
#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/drift.h"
#include "mechanisms/routing/router_file.h"
#include "policy/fields.h"

namespace lichen::policy {
namespace {

namespace json = boost::json;
using Kind = YamlNode::Kind;

constexpr std::string_view kThresholdKeys[] = {"threshold", "risk", "calibration", "hedge"};
constexpr int kMaxDepth = 64;  // as plans have

bool is_one_of(std::span<const std::string_view> keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

/// Whether an option of the mechanism changes no answer, wherever that stands.
bool changes_nothing(const YamlNode& mechanism, std::string_view key) {
  return key == "early_stop" || key == "shadow" ||
         (key == "judge" && mechanism.find("shadow") != nullptr);
}

class Identities {
 public:
  explicit Identities(const Config& config) : config_(config), models_(config.models) {
    models_.insert(models_.end(), config.ready.begin(), config.ready.end());
  }

  /// Of a mechanism, without the keys of its threshold where it is the one that is asked for.
  Result<json::object> mechanism(const YamlNode& node, bool outermost) {
    if (++depth_ > kMaxDepth) return fail(Errc::bad_config, "plans nested too deeply");
    json::object identity{{"mechanism", node.key}};
    for (const YamlNode& item : node.items) {
      if (outermost && is_one_of(kThresholdKeys, item.key)) continue;
      if (changes_nothing(node, item.key)) continue;
      Result<json::value> inner = value(item);
      if (!inner) return std::unexpected(inner.error());
      identity[item.key] = *std::move(inner);
    }
    --depth_;
    return identity;
  }

  Result<json::object> model(std::string_view name) {
    YamlNode node{.kind = Kind::scalar, .text = std::string(name), .items = {}, .key = {}};
    const Result<json::value> identity = scalar(node);
    if (!identity) return std::unexpected(identity.error());
    if (identity->is_object()) return identity->get_object();
    return fail(Errc::not_found, fmt::format("the configuration has no model `{}`", name));
  }

 private:
  Result<json::value> value(const YamlNode& node) {
    if (node.is(Kind::scalar)) return scalar(node);
    if (node.is(Kind::sequence)) {
      json::array items;
      for (const YamlNode& item : node.items) {
        Result<json::value> inner = value(item);
        if (!inner) return std::unexpected(inner.error());
        items.push_back(*std::move(inner));
      }
      return items;
    }
    // A plan is a map of one mechanism, options are maps too: as objects both are told apart.
    if (node.items.size() == 1 && node.items.front().is(Kind::map)) {
      Result<json::object> inner = mechanism(node.items.front(), false);
      if (!inner) return std::unexpected(inner.error());
      return *std::move(inner);
    }
    json::object map;
    for (const YamlNode& item : node.items) {
      Result<json::value> inner = value(item);
      if (!inner) return std::unexpected(inner.error());
      map[item.key] = *std::move(inner);
    }
    return map;
  }

  /// A model's or plan's name, a file's, or a value. A mechanism's own word that a plan happens to
  /// be named after counts as that plan, whose change is then one too many; but no plan holds
  /// itself, so within that plan it is the word.
  Result<json::value> scalar(const YamlNode& node) {
    const auto model = std::ranges::find(models_, node.text, &ModelConfig::name);
    if (model != models_.end()) return model_identity(*model, nullptr);
    for (const ModelConfig& base : models_) {
      const auto* local = std::get_if<model::LocalModelOptions>(&base.options);
      if (local == nullptr) continue;
      for (const model::AdapterOptions& adapter : local->adapters) {
        if (node.text == base.name + "+" + adapter.name) return model_identity(base, &adapter);
      }
    }
    const auto plan = std::ranges::find(config_.plans, node.text, &PlanConfig::name);
    if (plan != config_.plans.end() && std::ranges::find(within_, node.text) == within_.end()) {
      within_.push_back(node.text);
      Result<json::value> inner = value(plan->expression);
      within_.pop_back();
      return inner;
    }
    std::error_code error;
    const auto file = config_.file.parent_path() / node.text;
    if (node.text.empty() || !std::filesystem::is_regular_file(file, error)) {
      return json::value(node.text);
    }
    Result<std::string> hash = base::file_identity(file);
    if (!hash) return std::unexpected(hash.error());
    return json::value(*hash);
  }

  Result<json::value> model_identity(const ModelConfig& model,
                                     const model::AdapterOptions* adapter) {
    const auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    if (local == nullptr) {
      const auto& remote = std::get<model::RemoteModelOptions>(model.options);
      if (remote.urls.empty()) return json::object{{"url", remote.url}, {"model", remote.model}};
      json::array urls;
      for (const model::UpstreamOptions& place : remote.urls) {
        urls.push_back(json::object{{"url", place.url},
                                    {"model", place.model.empty() ? remote.model : place.model}});
      }
      return json::object{{"urls", std::move(urls)}};
    }
    Result<std::string> hash = base::file_identity(local->gguf);
    if (!hash) return std::unexpected(hash.error());
    json::object identity{{"gguf", *hash}};
    if (adapter != nullptr) {
      Result<std::string> adapter_hash = base::file_identity(adapter->gguf);
      if (!adapter_hash) return std::unexpected(adapter_hash.error());
      identity["adapter"] = *adapter_hash;
      identity["scale"] = fmt::format("{}", adapter->scale);
    } else if (!local->versions.empty()) {
      if (Result<void> added = add_version(*local, identity); !added) {
        return std::unexpected(added.error());
      }
    }
    return identity;
  }

  /// Which version of the model answers; of one that answers as it was made there is nothing to
  /// say.
  static Result<void> add_version(const model::LocalModelOptions& local, json::object& identity) {
    const auto versions = mechanisms::ModelVersions::open(local.versions);
    if (!versions) return std::unexpected(versions.error());
    const auto answers = versions->find(local.version);
    if (!answers) return std::unexpected(answers.error());
    if (*answers == nullptr) return {};
    const Result<std::string> hash = base::file_identity((*answers)->adapter);
    if (!hash) return std::unexpected(hash.error());
    identity["version"] = (*answers)->number;
    identity["adapter"] = *hash;
    return {};
  }

  const Config& config_;
  std::vector<ModelConfig> models_;
  std::vector<std::string_view> within_;  // plans
  int depth_ = 0;
};

using IsWanted = std::function<bool(const YamlNode&)>;

void add_wanted(const Config& config, const YamlNode& node, const IsWanted& wanted, int depth,
                std::vector<const YamlNode*>& found) {
  if (depth > kMaxDepth) return;
  if (wanted(node)) {
    if (std::ranges::find(found, &node) == found.end()) found.push_back(&node);
    return;
  }
  if (node.is(Kind::scalar)) {
    const auto plan = std::ranges::find(config.plans, node.text, &PlanConfig::name);
    if (plan != config.plans.end()) add_wanted(config, plan->expression, wanted, depth + 1, found);
  }
  for (const YamlNode& item : node.items) add_wanted(config, item, wanted, depth + 1, found);
}

/// Mechanisms of a plan, each once.
Result<std::vector<const YamlNode*>> mechanisms_of(const Config& config, std::string_view plan,
                                                   const IsWanted& wanted) {
  const auto named = std::ranges::find(config.plans, plan, &PlanConfig::name);
  if (named == config.plans.end()) {
    return fail(Errc::not_found, fmt::format("there is no plan `{}`", plan));
  }
  std::vector<const YamlNode*> found;
  add_wanted(config, named->expression, wanted, 0, found);
  return found;
}

void remove_keys(YamlNode& node, std::initializer_list<std::string_view> keys) {
  std::erase_if(node.items, [keys](const YamlNode& item) {
    return std::ranges::find(keys, item.key) != keys.end();
  });
}

void add_key(YamlNode& node, std::string key, std::string text) {
  node.items.push_back(
      {.kind = Kind::scalar, .text = std::move(text), .items = {}, .key = std::move(key)});
}

void remove_shadows(YamlNode& node) {
  if (node.find("shadow") != nullptr) remove_keys(node, {"shadow", "judge"});
  for (YamlNode& item : node.items) remove_shadows(item);
}

void let_drafts_end(YamlNode& node) {
  const bool cascade = node.key == "cascade" && node.find("small") != nullptr;
  if (cascade && node.find("early_stop") == nullptr) add_key(node, "early_stop", "false");
  for (YamlNode& item : node.items) let_drafts_end(item);
}

void remove_calibrations(YamlNode& node) {
  // What tells a cache's questions apart scores no answer.
  if (node.find("calibration") != nullptr && node.key != "semantic") {
    remove_keys(node, {"calibration", "risk"});
    // Trained routers have no threshold of their own.
    if (node.find("router") != nullptr) add_key(node, "threshold", "0.5");
  }
  if (node.key == "cascade" && node.find("small") != nullptr) {
    // A request that large answers before small is judged has no score, nor has a stopped draft.
    remove_keys(node, {"hedge", "early_stop"});
    add_key(node, "hedge", "never");
    add_key(node, "early_stop", "false");
  }
  for (YamlNode& item : node.items) remove_calibrations(item);
}

void remove_learned(YamlNode& node) {
  if (node.find("learned") != nullptr) remove_keys(node, {"learned", "confidence", "threshold"});
  if (node.find("head") != nullptr) remove_keys(node, {"head", "by", "threshold"});
  for (YamlNode& item : node.items) remove_learned(item);
}

std::optional<mechanisms::RiskTarget> target_of(const Config& config, const YamlNode& risk) {
  mechanisms::RiskTarget target;
  Fields fields(config.file, risk, "`risk`");
  fields.read("alpha", target.alpha, 0, 1);
  fields.read("delta", target.delta, 0, 1);
  if (fields.finish() || target.alpha <= 0 || target.delta <= 0) return std::nullopt;
  return target;
}

struct Counted {
  std::filesystem::path file = {};
  mechanisms::Calibration counts = {};
};

Result<Counted> counts_of(const Config& config, const YamlNode& mechanism) {
  const auto folder = config.file.parent_path();
  if (const YamlNode* node = mechanism.find("calibration")) {
    Counted counted{.file = folder / node->text};
    const auto all = mechanisms::load_plan_calibrations(counted.file);
    if (!all) return std::unexpected(all.error());
    const auto identity = mechanism_identity(config, mechanism);
    if (!identity) return std::unexpected(identity.error());
    counted.counts = mechanisms::calibration_for(*all, *identity).counts;
    return counted;
  }
  Counted counted;
  if (const YamlNode* node = mechanism.find("router")) {
    counted.file = folder / node->text;
    auto router = mechanisms::load_router_file(counted.file);
    if (!router) return std::unexpected(router.error());
    counted.counts = router->calibration.value_or(mechanisms::Calibration{});
  }
  return counted;
}

std::string risk_note(const Counted& counted, const mechanisms::RiskTarget& target, bool watched) {
  const auto record = mechanisms::alarm_record(counted.file);
  if (watched && mechanisms::keeps_alarm(record, counted.counts.data_hash)) {
    return fmt::format(
        "drift alarm: large answers everything until there is a new calibration ({})",
        record.string());
  }
  return mechanisms::describe(counted.counts, target);
}

void add_risk_notes(const Config& config, const YamlNode& node, std::vector<std::string>& notes) {
  if (const YamlNode* risk = node.find("risk")) {
    const auto target = target_of(config, *risk);
    const auto counted = counts_of(config, node);
    const bool watched = node.find("shadow") != nullptr;
    if (target && counted) notes.push_back(risk_note(*counted, *target, watched));
  }
  for (const YamlNode& item : node.items) add_risk_notes(config, item, notes);
}

}  // namespace

Result<json::object> mechanism_identity(const Config& config, const YamlNode& mechanism) {
  return Identities(config).mechanism(mechanism, true);
}

Result<json::object> model_identity(const Config& config, std::string_view model) {
  return Identities(config).model(model);
}

Result<const YamlNode*> choosing_mechanism(const Config& config, std::string_view plan) {
  const auto found = mechanisms_of(config, plan, [](const YamlNode& node) {
    return node.find("small") != nullptr && node.find("large") != nullptr;
  });
  if (!found) return std::unexpected(found.error());
  if (found->size() == 1) return found->front();
  return fail(Errc::bad_config,
              fmt::format("the plan `{}` has {} that chooses between `small` and `large`; a "
                          "calibration is of exactly one",
                          plan, found->empty() ? "no mechanism" : "more than one mechanism"));
}

Result<const YamlNode*> only_mechanism(const Config& config, std::string_view plan,
                                       std::string_view mechanism) {
  const auto found = mechanisms_of(config, plan, [mechanism](const YamlNode& node) {
    return node.key == mechanism && node.is(Kind::map);
  });
  if (!found) return std::unexpected(found.error());
  if (found->size() == 1) return found->front();
  return fail(Errc::bad_config,
              fmt::format("the plan `{}` has {} `{}`, and exactly one is wanted", plan,
                          found->empty() ? "no" : "more than one", mechanism));
}

Config without_shadows(Config config) {
  for (PlanConfig& plan : config.plans) remove_shadows(plan.expression);
  return config;
}

Config with_whole_scores(Config config) {
  for (PlanConfig& plan : config.plans) let_drafts_end(plan.expression);
  return config;
}

Config without_calibrations(Config config) {
  config = without_shadows(std::move(config));
  for (PlanConfig& plan : config.plans) remove_calibrations(plan.expression);
  return config;
}

Config without_learned(Config config) {
  config = without_calibrations(std::move(config));
  for (PlanConfig& plan : config.plans) remove_learned(plan.expression);
  return config;
}

PlanConfig at_threshold(YamlNode mechanism, double threshold, std::string name) {
  remove_shadows(mechanism);
  remove_keys(mechanism, {"threshold", "risk", "calibration"});
  add_key(mechanism, "threshold", fmt::format("{}", threshold));
  YamlNode expression{.kind = Kind::map, .text = {}, .items = {}, .key = {}};
  expression.items.push_back(std::move(mechanism));
  return {.name = std::move(name), .expression = std::move(expression)};
}

std::vector<std::string> risk_notes(const Config& config, const PlanConfig& plan) {
  std::vector<std::string> notes;
  add_risk_notes(config, plan.expression, notes);
  return notes;
}

}  // namespace lichen::policy
