#include "mechanisms/routing/risk_watch.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/routing/shadow.h"

namespace lichen::mechanisms {
namespace {

/// With a judge losses are seen as calibration counted them. Answers' texts can differ without a
/// loss, but, where there is one right answer, only if at least one is wrong; calibration counted
/// those too.
double promised(const Bound& bound, const RiskChoice& choice, bool judged) {
  if (judged) return bound.target.alpha;
  return upper_bound(choice.at.unlike, bound.counts.n, bound.target.delta);
}

void show(Options& options, const std::shared_ptr<const DriftWatch>& watch) {
  const auto add = [&](std::string name, std::string help, std::function<double()> read) {
    options.show({.name = std::move(name),
                  .help = std::move(help),
                  .labels = {{"calibration", watch->options().name}},
                  .read = std::move(read)});
  };
  add("lichen_drift_alarm", "1 when large answers everything since small lost too much",
      [watch] { return watch->alarmed() ? 1.0 : 0.0; });
  add("lichen_drift_looked_at_total", "Requests whose loss was looked at",
      [watch] { return static_cast<double>(watch->state().observed); });
  add("lichen_drift_losses_total", "Of these, those that small lost",
      [watch] { return static_cast<double>(watch->state().losses); });
}

}  // namespace

Result<RiskWatch> RiskWatch::read(Options& options, const std::optional<Bound>& bound) {
  constexpr std::string_view kNames[] = {"share", "delta"};
  constexpr double kLeast = 1e-6;
  auto read = options.number_map("shadow", kNames, kLeast, 1 - kLeast);
  if (!read) return std::unexpected(read.error());
  const std::optional<std::vector<double>> numbers = *std::move(read);
  if (!numbers) {
    if (!options.has("judge")) return RiskWatch();
    return std::unexpected(options.error("judge", "`judge` compares answers for `shadow`"));
  }
  if (!bound) {
    return std::unexpected(options.error(
        "shadow", "`shadow` watches over `risk`: without that there is nothing to hold"));
  }
  RiskWatch watch;
  if (options.has("judge")) {
    auto judge = options.operand("judge");
    if (!judge) return std::unexpected(judge.error());
    watch.judge_ = *std::move(judge);
  }
  const std::optional<RiskChoice> choice = bound->choice;
  if (!choice) return watch;
  const double promise = promised(*bound, *choice, watch.judge_ != nullptr);
  if (promise >= 1) {
    return std::unexpected(options.error(
        "shadow",
        "of no prompt of the calibration are both answers right, so nothing can be told "
        "from answers that differ: give a `judge`"));
  }
  watch.watch_ = std::make_shared<DriftWatch>(DriftOptions{.name = bound->file.string(),
                                                           .share = numbers->at(0),
                                                           .delta = numbers->at(1),
                                                           .promised = promise,
                                                           .calibration = bound->counts.data_hash,
                                                           .record = alarm_record(bound->file)});
  show(options, watch.watch_);
  return watch;
}

bool RiskWatch::looks_at(const Turn& turn) const {
  return watch_ != nullptr && !watch_->alarmed() && watch_->looks_at(turn.receipt.id);
}

void RiskWatch::answered_by_large(const Turn& turn) const {
  if (looks_at(turn)) watch_->observe(false);
}

void RiskWatch::answered_by_small(Turn& turn, const Request& request, const Answer& answer,
                                  const AnswererPtr& large) const {
  if (!looks_at(turn)) return;
  turn.later.push_back(shadow({.watch = watch_, .large = large, .judge = judge_}, request, answer));
}

}  // namespace lichen::mechanisms
