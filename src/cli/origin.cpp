#include "cli/origin.h"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <filesystem>
#include <iterator>

#include "cli/machine.h"
#include "cli/table.h"
#include "eval/fingerprint.h"
#include "eval/tasks/sample.h"

namespace lichen::cli {
namespace {

std::string described(const policy::ModelConfig& model) {
  if (const auto* local = std::get_if<model::LocalModelOptions>(&model.options)) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(local->gguf, error);
    return local->gguf.filename().string() + (error ? "" : ", " + format_bytes(bytes));
  }
  const auto& remote = std::get<model::RemoteModelOptions>(model.options);
  const auto at = [&](const std::string& model, const std::string& url) {
    return (model.empty() ? remote.model : model) + " at " +
           url.substr(0, url.find('?'));  // it may hold a key
  };
  if (remote.urls.empty()) return at(remote.model, remote.url);
  std::string all;
  for (const auto& place : remote.urls) {
    all += (all.empty() ? "" : ", ") + at(place.model, place.url);
  }
  return all;
}

std::string joined(const auto& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

std::string utc_now() {
  namespace chrono = std::chrono;
  const auto now = chrono::floor<chrono::minutes>(chrono::system_clock::now());
  const auto day = chrono::floor<chrono::days>(now);
  const chrono::year_month_day date(day);
  const auto minutes = (now - day).count();
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     minutes / 60, minutes % 60);
}

}  // namespace

eval::Origin origin_of(const EvaluationOptions& options, const Invocation& invocation,
                       const policy::Config& config, const eval::Suite& suite,
                       const eval::Baselines& baselines) {
  eval::Origin origin{.command = invocation.command_line,
                      .version = LICHEN_VERSION,
                      .date = utc_now(),
                      .cpu = cpu_name(),
                      .cores = usable_cores()};
  const bool made = eval::tasks::split_named(options.suite).has_value();
  auto& settings = origin.settings;
  settings.emplace_back(
      "suite",
      made ? fmt::format("generated, {} split, seed {}", suite.name, options.seed) : options.suite);
  settings.emplace_back("tasks", format_count(std::ssize(suite.tasks)));
  settings.emplace_back("fingerprint of the tasks", eval::fingerprint(suite));
  settings.emplace_back("configuration", config.file.filename().string());
  for (const auto& model : config.models) {
    settings.emplace_back("model " + model.name, described(model));
  }
  settings.emplace_back("counted as large", joined(baselines.large));
  settings.emplace_back("judge", options.judge);
  settings.emplace_back("requests at once", std::to_string(options.concurrency));
  settings.emplace_back("most tokens of an answer", options.max_tokens
                                                        ? std::to_string(*options.max_tokens)
                                                        : "as many as the context holds");
  settings.emplace_back("decoding", "greedy, without prefix caches between requests");
  return origin;
}

}  // namespace lichen::cli
