#include "policy/reload_report.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "policy/config.h"
#include "policy/same_options.h"

namespace lichen::policy {
namespace {

std::vector<std::string> model_names(const Runtime& runtime) {
  std::vector<std::string> names;
  for (const ModelPtr& model : runtime.models()) names.push_back(model->name());
  return names;
}

ReloadReport::Names compare(const Runtime& before, const std::vector<std::string>& old_names,
                            const Runtime& after, const std::vector<std::string>& new_names) {
  ReloadReport::Names names;
  for (const std::string& name : new_names) {
    if (std::ranges::find(old_names, name) == old_names.end()) {
      names.added.push_back(name);
    } else if (*before.find(name) == *after.find(name)) {
      names.kept.push_back(name);
    } else {
      names.changed.push_back(name);
    }
  }
  for (const std::string& name : old_names) {
    if (std::ranges::find(new_names, name) == new_names.end()) names.removed.push_back(name);
  }
  return names;
}

void add(std::string& line, std::string_view kind, const ReloadReport::Names& names) {
  std::string parts;
  for (const auto& [what, list] :
       {std::pair("added", &names.added), std::pair("removed", &names.removed),
        std::pair("changed", &names.changed), std::pair("kept", &names.kept)}) {
    if (list->empty()) continue;
    parts += fmt::format("{}`{}` {}", parts.empty() ? "" : ", ", fmt::join(*list, "`, `"), what);
  }
  if (!parts.empty()) line += fmt::format("{}{}: {}", line.empty() ? "" : "; ", kind, parts);
}

}  // namespace

ReloadReport report_reload(const Runtime& before, const Runtime& after) {
  ReloadReport report;
  report.models = compare(before, model_names(before), after, model_names(after));
  report.plans = compare(before, before.plan_names(), after, after.plan_names());
  if (!same_ledger(before.config().ledger, after.config().ledger)) {
    report.blocks.emplace_back("ledger");
  }
  return report;
}

std::string to_string(const ReloadReport& report) {
  std::string line;
  add(line, "models", report.models);
  add(line, "plans", report.plans);
  for (const std::string& block : report.blocks) line += fmt::format("; `{}` changed", block);
  return line;
}

}  // namespace lichen::policy
