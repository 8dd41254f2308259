// Whether the bound on the risk of a mechanism that chooses between small and large still holds.
// What every such mechanism has of it:
//
//   shadow: {share: 0.02, delta: 0.05}
//                       beside `risk`: of this share of the requests, those that small answered are
//                       answered by large too, after the user has the answer (shadow.h). Where more
//                       is lost than calibration promised, an alarm sends everything to large until
//                       there is a new calibration (drift.h); a false one has probability `delta`
//   judge: large        says which of two answers that differ are right; without it their texts are
//                       compared
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "lichen/answerer.h"
#include "mechanisms/mechanism.h"
#include "mechanisms/routing/drift.h"
#include "mechanisms/routing/risk.h"

namespace lichen::mechanisms {

/// The mechanism asks `alarmed` before it chooses, and says of each turn who has answered. Safe to
/// use from any thread.
class RiskWatch {
 public:
  /// The reason in the receipts of all that large answers after an alarm.
  static constexpr std::string_view kAlarm = "drift alarm: large until there is a new calibration";

  /// Watches nothing.
  RiskWatch() = default;
  /// Reads `shadow` and `judge`, and shows the watch in the metrics. `bound`: none where the plan
  /// has no `risk`, which is an error if it has `shadow`. Watches nothing where large has to answer
  /// everything anyhow.
  static Result<RiskWatch> read(Options& options, const std::optional<Bound>& bound);

  bool alarmed() const { return watch_ != nullptr && watch_->alarmed(); }
  /// Whether this turn is one to look at, if small answers it.
  bool looks_at(const Turn& turn) const;
  /// Once it is decided that large answers: nothing is lost.
  void answered_by_large(const Turn& turn) const;
  /// Once the user has small's answer: leaves for later that `large` answers too, where this turn
  /// is one to look at.
  void answered_by_small(Turn& turn, const Request& request, const Answer& answer,
                         const AnswererPtr& large) const;

 private:
  std::shared_ptr<DriftWatch> watch_;  // may be null, like the judge
  AnswererPtr judge_;
};

}  // namespace lichen::mechanisms
