#include "mechanisms/routing/trained_router.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "mechanisms/routing/calibration_file.h"
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

double threshold_for(const RouterFile& file, const RiskTarget& target,
                     const std::filesystem::path& path) {
  if (!file.calibration) {
    spdlog::warn(
        "{}: is not calibrated, so large answers everything; `lichen route calibrate` "
        "counts what small would lose",
        path.string());
    return kAlwaysLarge;
  }
  if (const auto choice = choose_threshold(*file.calibration, target)) return choice->threshold;
  spdlog::warn(
      "{}: its calibration on {} prompts shows no threshold with a risk of at most {} at "
      "confidence "
      "{}, so large answers everything; even without a loss it takes {} prompts",
      path.string(), file.calibration->n, target.alpha, 1 - target.delta, least_data(target));
  return kAlwaysLarge;
}

Result<Routing> build_trained(Options& options, RouterKind kind) {
  const auto path = options.file("router");
  if (!path) return std::unexpected(path.error());
  const auto risk = read_risk(options);
  if (!risk) return std::unexpected(risk.error());
  std::optional<double> least_score;
  if (options.has("calibration")) {
    const auto calibrated = read_calibrated_threshold(options);
    if (!calibrated) return std::unexpected(calibrated.error());
    least_score = *calibrated;  // of `risk`, which is there, too
  }
  const bool has_threshold = options.has("threshold");
  auto threshold = options.number("threshold", kAlwaysLarge, 0, 1);
  if (!threshold) return std::unexpected(threshold.error());
  if (has_threshold == risk->has_value()) {
    return std::unexpected(options.error(
        has_threshold ? "threshold" : "",
        "a trained router needs `threshold` (0 to 1) or `risk: {alpha, delta}`, not both"));
  }
  const auto file = load_router_file(*path);
  if (!file) return std::unexpected(options.error("router", file.error().detail));
  if (file->kind != kind) {
    return std::unexpected(options.error(
        "router", fmt::format("{}: is a router of the kind `{}`, not `{}`", path->string(),
                              to_string(file->kind), to_string(kind))));
  }
  auto router = make_text_router(*file);
  if (!router) {
    return std::unexpected(
        options.error("router", fmt::format("{}: {}", path->string(), router.error().detail)));
  }
  if (least_score) {
    threshold = std::max(1 - *least_score, kAlwaysLarge);
  } else if (*risk) {
    threshold = threshold_for(*file, **risk, *path);
  }
  return Routing{
      .router = std::make_unique<TrainedRouter>(std::string(to_string(kind)), *std::move(router)),
      .threshold = *threshold};
}

}  // namespace

Result<Routing> build_linear(Options& options) {
  return build_trained(options, RouterKind::linear);
}

}  // namespace lichen::mechanisms
