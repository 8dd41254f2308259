#include "mechanisms/routing/trained_router.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/embedding_router.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/routing/risk.h"
#include "mechanisms/routing/text_router.h"
#include "model/local_model.h"

namespace lichen::mechanisms {
namespace {

constexpr double kAlwaysLarge = 0;  // no need is under it

class TrainedRouter : public Router {
 public:
  TrainedRouter(std::string name, std::unique_ptr<TextRouter> router)
      : name_(std::move(name)), router_(std::move(router)) {}

  awaitable<Result<Need>> need(Request request, Turn& /*turn*/) override {
    co_return Need{.score = router_->need(question(request)), .reason = name_};
  }

 private:
  const std::string name_;
  const std::unique_ptr<TextRouter> router_;
};

/// None: large has to answer everything, and a warning has said why.
std::optional<RiskChoice> choice_for(const RouterFile& file, const RiskTarget& target,
                                     const std::filesystem::path& path) {
  if (!file.calibration) {
    spdlog::warn(
        "{}: is not calibrated, so large answers everything; `lichen route calibrate` "
        "counts what small would lose",
        path.string());
    return std::nullopt;
  }
  auto choice = choose_threshold(*file.calibration, target);
  if (choice) return choice;
  spdlog::warn(
      "{}: its calibration on {} prompts shows no threshold with a risk of at most {} at "
      "confidence {}, so large answers everything; even without a loss it takes {} prompts",
      path.string(), file.calibration->n, target.alpha, 1 - target.delta, least_data(target));
  return std::nullopt;
}

/// What the counts that the router's own file holds promise.
Bound bound_of(const RouterFile& file, const RiskTarget& target,
               const std::filesystem::path& path) {
  return {.file = path,
          .target = target,
          .counts = file.calibration.value_or(Calibration{}),
          .choice = choice_for(file, target, path)};
}

/// The counts in a router's own file are of the small that it was trained with: where small keeps
/// versions, of the one that answered then.
Result<void> check_version(Options& options, const RouterFile& file,
                           const std::filesystem::path& path) {
  const auto operand = options.operand("small");
  if (!operand) return std::unexpected(operand.error());
  const auto small = std::dynamic_pointer_cast<model::LocalModel>(*operand);
  if (small == nullptr || small->options().versions.empty() || file.origin.small_hash.empty()) {
    return {};
  }
  const auto hash = small->file_hash();
  if (!hash) return std::unexpected(hash.error());
  if (file.origin.small_hash == *hash) return {};
  return std::unexpected(options.error(
      "router",
      fmt::format("{}: was calibrated with another version of `{}` than the one that answers now; "
                  "make it anew by `lichen route collect`, `lichen route train` and `lichen route "
                  "calibrate`",
                  path.string(), small->name())));
}

}  // namespace

Result<TrainedRouting> read_trained(Options& options, RouterKind kind) {
  const auto path = options.file("router");
  if (!path) return std::unexpected(path.error());
  const auto risk = read_risk(options);
  if (!risk) return std::unexpected(risk.error());
  std::optional<Bound> bound;
  if (options.has("calibration")) {
    auto of_plan = read_plan_bound(options);
    if (!of_plan) return std::unexpected(of_plan.error());
    bound = *std::move(of_plan);
  }
  const bool has_threshold = options.has("threshold");
  auto threshold = options.number("threshold", kAlwaysLarge, 0, 1);
  if (!threshold) return std::unexpected(threshold.error());
  if (has_threshold == risk->has_value()) {
    return std::unexpected(options.error(
        has_threshold ? "threshold" : "",
        "a trained router needs `threshold` (0 to 1) or `risk: {alpha, delta}`, not both"));
  }
  auto file = load_router_file(*path);
  if (!file) return std::unexpected(options.error("router", file.error().detail));
  if (file->kind != kind) {
    return std::unexpected(options.error(
        "router", fmt::format("{}: is a router of the kind `{}`, not `{}`", path->string(),
                              to_string(file->kind), to_string(kind))));
  }
  TrainedRouting trained{.path = *path, .file = *std::move(file), .threshold = *threshold};
  if (bound) {
    trained.threshold = std::max(1 - least_score(*bound), kAlwaysLarge);
  } else if (const std::optional<RiskTarget> target = *risk) {
    if (auto same = check_version(options, trained.file, *path); !same) {
      return std::unexpected(same.error());
    }
    Bound own = bound_of(trained.file, *target, *path);
    if (own.choice) trained.threshold = own.choice->threshold;
    bound = std::move(own);
  }
  auto watch = RiskWatch::read(options, bound);
  if (!watch) return std::unexpected(watch.error());
  trained.watch = *std::move(watch);
  return trained;
}

Result<Routing> build_trained(Options& options, RouterKind kind) {
  const auto trained = read_trained(options, kind);
  if (!trained) return std::unexpected(trained.error());
  if (kind == RouterKind::knn &&
      (options.has("embedder") || !trained->file.origin.embedder_hash.empty())) {
    return build_embedding_router(options, *trained);
  }
  auto router = make_text_router(trained->file);
  if (!router) {
    return std::unexpected(options.error(
        "router", fmt::format("{}: {}", trained->path.string(), router.error().detail)));
  }
  return trained->with(
      std::make_unique<TrainedRouter>(std::string(to_string(kind)), *std::move(router)));
}

}  // namespace lichen::mechanisms
