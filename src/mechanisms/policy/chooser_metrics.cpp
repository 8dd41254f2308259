#include "mechanisms/policy/chooser_metrics.h"

#include <chrono>
#include <functional>
#include <limits>
#include <string>
#include <utility>

namespace lichen::mechanisms {
namespace {

ChooserFigures figures(const PlanChooser& chooser) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return chooser.figures(std::chrono::duration<double>(now).count());
}

struct OfArm {
  const char* name;
  const char* help;
  double (*value)(const ChooserFigures::Arm& arm);
};

constexpr OfArm kOfArms[] = {
    {"lichen_auto_chosen_total", "Requests for which `auto` chose this plan",
     [](const ChooserFigures::Arm& arm) { return static_cast<double>(arm.chosen); }},
    {"lichen_auto_explored_total", "Of these, those for which another was expected to do better",
     [](const ChooserFigures::Arm& arm) { return static_cast<double>(arm.explored); }},
    {"lichen_auto_score", "Mean score of its answers among the latest 512 of all plans",
     [](const ChooserFigures::Arm& arm) {
       return arm.score.value_or(std::numeric_limits<double>::quiet_NaN());
     }},
    {"lichen_auto_price", "Points of the score that an answer of it is taken to cost",
     [](const ChooserFigures::Arm& arm) { return arm.price; }}};

}  // namespace

void show(Options& options, const std::shared_ptr<const PlanChooser>& chooser) {
  for (const OfArm& shown : kOfArms) {
    for (std::size_t i = 0; i < chooser->options().arms.size(); ++i) {
      options.show(
          {.name = shown.name,
           .help = shown.help,
           .labels = {{"arm", chooser->options().arms[i]}},
           .read = [chooser, i, value = shown.value] { return value(figures(*chooser).arms[i]); }});
    }
  }
  const auto add = [&](std::string name, std::string help, std::function<double()> read) {
    options.show({.name = std::move(name), .help = std::move(help), .read = std::move(read)});
  };
  if (const auto budget = chooser->options().budget_per_hour) {
    add("lichen_auto_budget", "What `auto` may spend in an hour", [budget] { return *budget; });
    add("lichen_auto_budget_spent", "What of it was spent in the last hour",
        [chooser] { return figures(*chooser).spent; });
    add("lichen_auto_budget_price",
        "Points of the score for what the dearest plan spends: 0 while the budget is ample",
        [chooser] { return figures(*chooser).budget_price; });
  }
  if (chooser->options().p95_ms) {
    add("lichen_auto_latency_price", "Points of the score for an answer over the limit of latency",
        [chooser] { return figures(*chooser).tail_price; });
  }
}

}  // namespace lichen::mechanisms
