#include "policy/open_models.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/cores.h"
#include "mechanisms/distillation/model_versions.h"
#include "model/gguf_file.h"
#include "model/lane.h"
#include "model/open_local_model.h"
#include "model/remote_model.h"
#include "policy/bound_files.h"
#include "policy/plan_marks.h"
#include "policy/same_options.h"
#include "policy/version_watch.h"

namespace lichen::policy {
namespace {

class Opener {
 public:
  Opener(const Config& config, boost::asio::any_io_executor io, const Runtime::Progress& progress,
         const FormerModels* former)
      : config_(config), io_(std::move(io)), progress_(progress), former_(former) {
    if (former_ != nullptr) opened_.lane = former_->open.lane;
  }

  Result<void> open(const ModelConfig& model) {
    if (take_over(model)) return {};
    opened_.files[model.name] = files_of(model);  // before it is read
    Result<void> done = std::visit(
        [this, &model](const auto& options) { return open(model.name, options); }, model.options);
    if (done) return done;
    Error error = std::move(done).error();
    error.detail = fmt::format("{}:{}: model `{}`: {}", config_.file.string(), model.line,
                               model.name, error.detail);
    return std::unexpected(std::move(error));
  }

  OpenModels take() {
    const auto local = [](const ModelPtr& model) { return model->local(); };
    if (std::ranges::none_of(opened_.models, local)) opened_.lane = nullptr;
    return std::move(opened_);
  }

 private:
  /// Whether the model is in use already, and may stay.
  bool take_over(const ModelConfig& model) {
    if (former_ == nullptr || former_->config.offline != config_.offline) return false;
    const auto& before = former_->config.models;
    const auto same = std::ranges::find(before, model.name, &ModelConfig::name);
    const auto files = former_->open.files.find(model.name);
    if (same == before.end() || files == former_->open.files.end()) return false;
    if (!same_model(*same, model)) return false;
    const OpenModels::Files now = files_of(model);
    if (files->second.stamps != now.stamps) return false;
    const bool bound = !bound_files(config_, model.name).empty() ||
                       !bound_files(former_->config, model.name).empty();
    if (bound && files->second.version != now.version) return false;
    opened_.files.insert(*files);
    for (const ModelPtr& open : former_->open.models) {
      if (belongs_to(*open, model)) opened_.models.push_back(open);
    }
    return true;
  }

  /// The model itself and its adapters.
  static bool belongs_to(const Model& open, const ModelConfig& model) {
    if (open.name() == model.name) return true;
    const auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    return local != nullptr &&
           std::ranges::any_of(local->adapters, [&](const model::AdapterOptions& adapter) {
             return open.name() == model.name + "+" + adapter.name;
           });
  }

  static OpenModels::Files files_of(const ModelConfig& model) {
    const auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    if (local == nullptr) {
      return {.stamps = file_stamp(std::get<model::RemoteModelOptions>(model.options).ca_file),
              .version = {}};
    }
    OpenModels::Files files{.stamps = file_stamp(local->gguf), .version = {}};
    for (const model::AdapterOptions& adapter : local->adapters) {
      files.stamps += " " + file_stamp(adapter.gguf);
    }
    if (!local->versions.empty()) {
      files.version = file_stamp(mechanisms::ModelVersions::file_of(local->versions));
    }
    return files;
  }

  Result<void> open(const std::string& name, const model::LocalModelOptions& options) {
    if (opened_.lane == nullptr) {
      Result<std::shared_ptr<model::Lane>> lane = model::open_lane();
      if (!lane) return std::unexpected(std::move(lane).error());
      opened_.lane = *std::move(lane);
    }
    Result<std::shared_ptr<model::LocalModel>> opened =
        model::open_local_model(name, options, opened_.lane, [this, &name](double fraction) {
          if (progress_) progress_(name, fraction);
          return true;
        });
    if (!opened) return std::unexpected(std::move(opened).error());
    opened_.models.push_back(*opened);
    if (!options.versions.empty()) {
      if (Result<void> used = use_chosen_version(**opened); !used) return used;
    }
    for (const model::AdapterOptions& adapter : options.adapters) {
      Result<std::shared_ptr<model::LocalModel>> adapted = (*opened)->with_adapter(adapter);
      if (!adapted) return std::unexpected(std::move(adapted).error());
      opened_.models.push_back(*std::move(adapted));
    }
    return {};
  }

  Result<void> open(const std::string& name, model::RemoteModelOptions options) {
    options.offline = config_.offline;
    Result<ModelPtr> opened = model::open_remote_model(name, options, io_);
    if (!opened) return std::unexpected(std::move(opened).error());
    opened_.models.push_back(*std::move(opened));
    return {};
  }

  const Config& config_;
  const boost::asio::any_io_executor io_;
  const Runtime::Progress& progress_;
  const FormerModels* const former_;
  OpenModels opened_;
};

/// What the file and the machine cannot give: libllama would take less without a word.
Result<void> check_sizes(const Config& config, const ModelConfig& model,
                         const model::LocalModelOptions& options) {
  const auto bad = [&](Errc code, const std::string& what) {
    return fail(code, fmt::format("{}:{}: model `{}`: {}", config.file.string(), model.line,
                                  model.name, what));
  };
  const Result<model::GgufInfo> info = model::inspect_gguf(options.gguf);
  if (!info) return bad(info.error().code, info.error().detail);
  if (options.context > 0 && static_cast<std::uint32_t>(options.context) > info->context_length &&
      info->context_length > 0) {
    return bad(Errc::bad_config,
               fmt::format("`context` is {}, but {} was trained for {} tokens: set up to {}, or "
                           "leave it out",
                           options.context, options.gguf.string(), info->context_length,
                           info->context_length));
  }
  const int cores = base::usable_cores();
  if (options.threads > cores) {
    return bad(Errc::bad_config,
               fmt::format("`threads` is {}, but this machine has {} {}: set up to {}, or leave it "
                           "out for what is fastest",
                           options.threads, cores, cores == 1 ? "core" : "cores", cores));
  }
  return {};
}

/// All files before any is loaded: loading the first may take minutes.
Result<void> check_files(const Config& config) {
  const auto check = [&config](const ModelConfig& model, const std::filesystem::path& gguf) {
    std::error_code problem;
    if (std::filesystem::is_regular_file(gguf, problem)) return Result<void>();
    return Result<void>(
        fail(Errc::bad_model,
             fmt::format("{}:{}: model `{}`: {} is {}; relative paths start from the "
                         "configuration's folder",
                         config.file.string(), model.line, model.name, gguf.string(),
                         std::filesystem::exists(gguf, problem) ? "not a file" : "not there")));
  };
  for (const ModelConfig& model : config.models) {
    const auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    if (local == nullptr) continue;
    Result<void> checked = check(model, local->gguf);
    for (const model::AdapterOptions& adapter : local->adapters) {
      if (checked) checked = check(model, adapter.gguf);
    }
    if (checked) checked = check_sizes(config, model, *local);
    if (!checked) return checked;
  }
  return {};
}

}  // namespace

Result<OpenModels> open_models(const Config& config, boost::asio::any_io_executor io,
                               const Runtime::Progress& progress, const FormerModels* former) {
  Result<void> checked = check_files(config);
  if (!checked) return std::unexpected(std::move(checked).error());
  Opener opener(config, std::move(io), progress, former);
  for (const ModelConfig& model : config.models) {
    Result<void> opened = opener.open(model);
    if (!opened) return std::unexpected(std::move(opened).error());
  }
  return opener.take();
}

}  // namespace lichen::policy
