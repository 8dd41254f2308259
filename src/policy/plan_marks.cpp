#include "policy/plan_marks.h"

#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

namespace lichen::policy {
namespace {

/// Plans of a configuration, and which of them hang together.
class Marker {
 public:
  Marker(const Config& config, const std::vector<ModelPtr>& models) : config_(config) {
    for (const ModelPtr& model : models) models_.emplace(model->name(), model.get());
    for (std::size_t i = 0; i < config.plans.size(); ++i) {
      plans_.emplace(config.plans[i].name, i);
      group_.push_back(i);
    }
  }

  std::map<std::string, std::string, std::less<>> marks() {
    std::map<std::string, std::string> own;  // sorted, so that the order in the file does not count
    for (std::size_t i = 0; i < config_.plans.size(); ++i) {
      std::string& text = own[config_.plans[i].name];
      describe(config_.plans[i].expression, i, text);
    }
    std::map<std::size_t, std::string> of_group;
    for (const auto& [name, text] : own) {
      of_group[root(plans_.find(name)->second)] += sized(name) + sized(text);
    }
    std::map<std::string, std::string, std::less<>> marks;
    for (const auto& [name, plan] : plans_) marks.emplace(name, of_group[root(plan)]);
    return marks;
  }

 private:
  /// So that no two lists of texts look alike when written one behind the other.
  static std::string sized(std::string_view text) {
    return fmt::format("{}:{}", text.size(), text);
  }

  void describe(const YamlNode& node, std::size_t plan, std::string& text) {
    text += fmt::format("{}{}", static_cast<int>(node.kind), node.quoted ? 'q' : ' ') +
            sized(node.text);
    if (node.is(YamlNode::Kind::scalar)) {
      const auto model = models_.find(node.text);
      const auto other = plans_.find(node.text);
      if (model != models_.end()) {
        text += fmt::format("model {}", static_cast<const void*>(model->second));
      } else if (other != plans_.end()) {
        join(plan, other->second);
      } else {
        text += "file " + file_stamp(config_.file.parent_path() / node.text);
      }
    }
    text += fmt::format("[{}", node.items.size());
    for (const YamlNode& item : node.items) {
      text += sized(item.key);
      describe(item, plan, text);
    }
  }

  std::size_t root(std::size_t plan) const {
    while (group_[plan] != plan) plan = group_[plan];
    return plan;
  }
  void join(std::size_t one, std::size_t other) { group_[root(one)] = root(other); }

  const Config& config_;
  std::map<std::string_view, const Model*> models_;
  std::map<std::string_view, std::size_t> plans_;
  std::vector<std::size_t> group_;  // another plan that this one hangs together with, or itself
};

}  // namespace

std::string file_stamp(const std::filesystem::path& file) {
  struct stat facts = {};
  if (::stat(file.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
  return fmt::format("{}:{}:{}:{}.{:09}", facts.st_dev, facts.st_ino, facts.st_size,
                     facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
}

std::map<std::string, std::string, std::less<>> plan_marks(const Config& config,
                                                           const std::vector<ModelPtr>& models) {
  return Marker(config, models).marks();
}

}  // namespace lichen::policy
