#include "policy/bound_files.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "mechanisms/routing/calibration_file.h"
#include "policy/identity.h"
#include "policy/plan_models.h"

namespace lichen::policy {
namespace {

using Kind = YamlNode::Kind;

class Finder {
 public:
  explicit Finder(const Config& config) : config_(config) {}

  void look_at(const PlanConfig& plan) { look_at(plan, plan.expression); }

  std::vector<BoundFile> take() {
    // Calibrations are of plans that have what they learn.
    std::ranges::move(calibrations_, std::back_inserter(files_));
    return std::move(files_);
  }

 private:
  void look_at(const PlanConfig& plan, const YamlNode& node) {
    const YamlNode* small = node.find("small");
    const std::string train = "lichen route train --plan " + plan.name + " -o ";
    if (const YamlNode* of = node.find("of"); of != nullptr && node.find("learned") != nullptr) {
      add(plan, *node.find("learned"), {of}, {"lichen blend --plan " + plan.name + " -o "});
    } else if (const YamlNode* learned = node.find("learned"); learned != nullptr) {
      add(plan, *learned, {small}, {train});
    }
    if (const YamlNode* head = node.find("head")) add(plan, *head, {small}, {train});
    if (const YamlNode* router = node.find("router")) {
      add(plan, *router, {small, node.find("large")},
          {"lichen route collect", "lichen route train", "lichen route calibrate"});
    }
    const YamlNode* calibration = node.find("calibration");
    if (const YamlNode* embedder = node.find("embedder");
        calibration != nullptr && embedder != nullptr && node.key == "semantic") {
      add(plan, *calibration, {embedder},
          {"lichen cache calibrate --embedder " + embedder->text + " --pairs PAIRS -o "});
    } else if (calibration != nullptr) {
      add(plan, *calibration, {&node}, {"lichen route calibrate --plan " + plan.name + " -o "},
          true);
    }
    for (const YamlNode& item : node.items) look_at(plan, item);
  }

  /// A command that ends with "-o " gets the file's name.
  void add(const PlanConfig& plan, const YamlNode& file, std::vector<const YamlNode*> made_with,
           std::vector<std::string> commands, bool calibration = false) {
    if (!file.is(Kind::scalar) || file.text.empty()) return;
    BoundFile found{.plan = plan.name,
                    .file = config_.file.parent_path() / file.text,
                    .models = {},
                    .commands = std::move(commands),
                    .calibration = calibration};
    for (std::string& command : found.commands) {
      if (command.ends_with("-o ")) command += found.file.string();
    }
    for (const YamlNode* node : made_with) {
      if (node == nullptr) continue;
      for (const ModelConfig* model : models_below(config_, *node)) {
        const bool local = std::holds_alternative<model::LocalModelOptions>(model->options);
        if (local && std::ranges::find(found.models, model->name) == found.models.end()) {
          found.models.push_back(model->name);
        }
      }
    }
    (calibration ? calibrations_ : files_).push_back(std::move(found));
  }

  const Config& config_;
  std::vector<BoundFile> files_, calibrations_;
};

}  // namespace

std::vector<BoundFile> bound_files(const Config& config) {
  Finder finder(config);
  for (const PlanConfig& plan : config.plans) finder.look_at(plan);
  return finder.take();
}

std::vector<BoundFile> bound_files(const Config& config, std::string_view model) {
  std::vector<BoundFile> files = bound_files(config);
  std::erase_if(files, [model](const BoundFile& file) {
    return std::ranges::find(file.models, model) == file.models.end();
  });
  return files;
}

std::vector<BoundFile> stale_files(const Config& config, std::string_view model) {
  std::vector<BoundFile> files = bound_files(config, model);
  std::erase_if(files, [&config](const BoundFile& file) {
    if (!file.calibration) return false;
    const auto all = mechanisms::load_plan_calibrations(file.file);
    const auto mechanism = choosing_mechanism(config, file.plan);
    if (!all || !mechanism) return false;
    const auto identity = mechanism_identity(config, **mechanism);
    return identity && mechanisms::calibration_for(*all, *identity).valid_for == *identity;
  });
  return files;
}

std::string how_to_make_anew(const BoundFile& file) {
  return fmt::format("{} (plan {}): {}", file.file.string(), file.plan,
                     fmt::join(file.commands, ", then "));
}

}  // namespace lichen::policy
