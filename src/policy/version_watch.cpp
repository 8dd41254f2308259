#include "policy/version_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/sha256.h"
#include "mechanisms/distillation/model_versions.h"

namespace lichen::policy {
namespace {

namespace fs = std::filesystem;
using mechanisms::ModelVersions;

/// When the choice was last made; the beginning of time where there was none.
fs::file_time_type chosen_at(const model::LocalModel& model) {
  std::error_code error;
  const auto time = fs::last_write_time(ModelVersions::file_of(model.options().versions), error);
  return error ? fs::file_time_type::min() : time;
}

}  // namespace

Result<void> use_chosen_version(model::LocalModel& model) {
  const auto versions = ModelVersions::open(model.options().versions);
  if (!versions) return std::unexpected(versions.error());
  const auto found = versions->find(model.options().version);
  if (!found) return std::unexpected(found.error());
  const mechanisms::ModelVersion* chosen = *found;
  if (chosen == nullptr) return model.use_adapter({});
  const Result<std::string> base = base::file_identity(model.options().gguf);
  if (!base) return std::unexpected(base.error());
  if (*base != chosen->base) {
    return fail(Errc::bad_model,
                fmt::format("version {} in {} was made for other weights than {}; `lichen distill "
                            "rollback {} --to 0` goes back to the model as it was made",
                            chosen->number, model.options().versions.string(),
                            model.options().gguf.string(), model.name()));
  }
  return model.use_adapter(
      model::AdapterOptions{.name = std::to_string(chosen->number), .gguf = chosen->adapter});
}

VersionWatch::VersionWatch(const std::vector<ModelPtr>& models, const Config& config) {
  follow(models, config);
}

void VersionWatch::follow(const std::vector<ModelPtr>& models, const Config& config) {
  const std::lock_guard lock(mutex_);
  std::vector<Followed> followed;
  for (const ModelPtr& model : models) {
    auto local = std::dynamic_pointer_cast<model::LocalModel>(model);
    if (local == nullptr || local->options().versions.empty()) continue;
    if (local->options().version) continue;  // it stays
    const auto known = std::ranges::find(followed_, local, &Followed::model);
    const auto seen = known != followed_.end() ? known->seen : chosen_at(*local);
    const bool stays = !bound_files(config, local->name()).empty();
    followed.push_back({.model = std::move(local), .seen = seen, .stays = stays});
  }
  config_ = config;
  followed_ = std::move(followed);
  if (followed_.empty() || thread_.joinable()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

VersionWatch::~VersionWatch() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void VersionWatch::take_up(const Followed& followed) const {
  const std::string& name = followed.model->name();
  if (followed.stays) {
    const std::vector<BoundFile> stale = stale_files(config_, name);
    spdlog::warn(
        "another version of {0} was chosen, and the one before goes on answering here until the "
        "next start: plans have files that were made with it.{1}",
        name, stale.empty() ? " They hold for the other, too" : " Before that, make anew:");
    for (const BoundFile& file : stale) spdlog::warn("  {}", how_to_make_anew(file));
  } else if (const Result<void> used = use_chosen_version(*followed.model); used) {
    spdlog::info("{} answers by another version now", name);
  } else {
    spdlog::warn("{} goes on with the version before: {}", name, used.error().detail);
  }
}

void VersionWatch::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, stop, std::chrono::seconds(1),
                         [&stop] { return stop.stop_requested(); })) {
    for (Followed& each : followed_) {
      const auto chosen = chosen_at(*each.model);
      if (chosen == each.seen) continue;
      each.seen = chosen;
      take_up(each);
    }
  }
}

}  // namespace lichen::policy
