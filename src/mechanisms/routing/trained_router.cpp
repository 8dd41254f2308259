#include "mechanisms/routing/trained_router.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/drift.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/routing/risk.h"
#include "mechanisms/routing/text_router.h"

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
      "confidence "
      "{}, so large answers everything; even without a loss it takes {} prompts",
      path.string(), file.calibration->n, target.alpha, 1 - target.delta, least_data(target));
  return std::nullopt;
}

struct ShadowOptions {
  double share = 0;
  double delta = 0;
  AnswererPtr judge = {};
};

Result<std::optional<ShadowOptions>> read_shadow(Options& options, bool with_risk) {
  constexpr std::string_view kNames[] = {"share", "delta"};
  constexpr double kLeast = 1e-6;
  const auto numbers = options.number_map("shadow", kNames, kLeast, 1 - kLeast);
  if (!numbers) return std::unexpected(numbers.error());
  if (*numbers && !with_risk) {
    return std::unexpected(options.error(
        "shadow", "`shadow` watches over `risk`: without that there is nothing to hold"));
  }
  if (!*numbers && options.has("judge")) {
    return std::unexpected(options.error("judge", "`judge` compares answers for `shadow`"));
  }
  if (!*numbers) return std::nullopt;
  ShadowOptions shadow{.share = (**numbers)[0], .delta = (**numbers)[1]};
  if (options.has("judge")) {
    auto judge = options.operand("judge");
    if (!judge) return std::unexpected(judge.error());
    shadow.judge = *std::move(judge);
  }
  return shadow;
}

/// With a judge losses are seen as calibration counted them. Answers' texts can differ without a
/// loss, but, where there is one right answer, only if at least one is wrong; calibration counted
/// those too.
Result<std::shared_ptr<DriftWatch>> make_watch(const ShadowOptions& shadow, const RouterFile& file,
                                               const RiskTarget& risk, const RiskChoice& choice,
                                               const std::filesystem::path& path,
                                               Options& options) {
  const double promised = shadow.judge != nullptr
                              ? risk.alpha
                              : upper_bound(choice.at.unlike, file.calibration->n, risk.delta);
  if (promised >= 1) {
    return std::unexpected(options.error(
        "shadow",
        "of no prompt of the calibration are both answers right, so nothing can be told "
        "from answers that differ: give a `judge`"));
  }
  auto watch =
      std::make_shared<DriftWatch>(DriftOptions{.name = path.string(),
                                                .share = shadow.share,
                                                .delta = shadow.delta,
                                                .promised = promised,
                                                .calibration = file.calibration->data_hash,
                                                .record = std::filesystem::path(path) += ".drift"});
  options.show(watch);
  return watch;
}

}  // namespace

Result<TrainedRouting> read_trained(Options& options, RouterKind kind) {
  const auto path = options.file("router");
  if (!path) return std::unexpected(path.error());
  const auto risk = read_risk(options);
  if (!risk) return std::unexpected(risk.error());
  const auto shadow = read_shadow(options, risk->has_value());
  if (!shadow) return std::unexpected(shadow.error());
  std::optional<double> least_score;
  if (options.has("calibration")) {
    const auto calibrated = read_calibrated_threshold(options);
    if (!calibrated) return std::unexpected(calibrated.error());
    least_score = *calibrated;  // of `risk`, which is there, too
    if (*shadow) {
      return std::unexpected(options.error(
          "shadow",
          "`shadow` holds what the router's own calibration promised, so it cannot stand "
          "beside `calibration`"));
    }
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
  if (least_score) trained.threshold = std::max(1 - *least_score, kAlwaysLarge);
  if (!*risk || least_score) return trained;
  const auto choice = choice_for(trained.file, **risk, *path);
  if (!choice) return trained;
  trained.threshold = choice->threshold;
  if (!*shadow) return trained;
  auto watch = make_watch(**shadow, trained.file, **risk, *choice, *path, options);
  if (!watch) return std::unexpected(watch.error());
  trained.watch = *std::move(watch);
  trained.judge = (*shadow)->judge;
  return trained;
}

Result<Routing> build_trained(Options& options, RouterKind kind) {
  const auto trained = read_trained(options, kind);
  if (!trained) return std::unexpected(trained.error());
  auto router = make_text_router(trained->file);
  if (!router) {
    return std::unexpected(options.error(
        "router", fmt::format("{}: {}", trained->path.string(), router.error().detail)));
  }
  return trained->with(
      std::make_unique<TrainedRouter>(std::string(to_string(kind)), *std::move(router)));
}

}  // namespace lichen::mechanisms
