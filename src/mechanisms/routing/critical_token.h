// Where `handover` calls large: how undecided small is about its next token. To add a measure: a
// row in critical_token.cpp, its test, its line in docs/plans.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "lichen/session.h"
#include "mechanisms/routing/token_head.h"

namespace lichen::mechanisms {

struct Criterion {
  std::string_view name;  // as a plan has it, and as receipts say it
  Want look;              // what small's row must bring back for it
  /// Of small's row. Pure. `head` is null but for the criterion `head`.
  double (*of)(const Row& row, const TokenHead* head);
  bool low_is_critical;  // a token is critical under the threshold; else from the threshold on
  double threshold;      // where the plan names none
  double most;           // the largest threshold that makes sense
  /// Thresholds from which a bound on the risk chooses, the safest first. They are the same for all
  /// plans, since they must not depend on the calibration data.
  std::span<const double> sequence;

  /// A value that is no number is critical.
  bool critical(double value, double limit) const {
    return low_is_critical ? !(value >= limit) : !(value < limit);
  }
  /// The threshold at which every token is critical.
  double all_critical() const;
  /// A threshold on the scale on which the safest is the least, and back again.
  double turned(double limit) const { return low_is_critical ? -limit : limit; }
};

inline constexpr std::string_view kByHead = "head";

/// The first one is the default.
std::span<const Criterion> criteria();
/// Null where there is none of that name.
const Criterion* find_criterion(std::string_view name);

/// A criterion as one plan has it.
struct CriticalRule {
  const Criterion* criterion = nullptr;
  double threshold = 0;
  std::shared_ptr<const TokenHead> head = {};  // of the criterion `head`
};

/// Decides about small's rows of one answer, before the answer's sampler hears of them: neither
/// penalties nor a grammar nor the random numbers may know of a token that another model will write
/// in its place. On small's lane.
class CriticalGate {
 public:
  /// `rule` and `sampler` must outlive it. `want`: what the answer wants of each row; its sampler
  /// may be null, which is the argmax.
  CriticalGate(const CriticalRule& rule, const Want& want);

  /// What a step of small has to bring back.
  const Want& want() const { return look_; }
  /// Whether the row is critical; then its token is small's likeliest. Else the sampler has chosen
  /// the token, and the row is as the answer wants it. `whole`: the text may be handed over here;
  /// where it may not, no row is critical. Fails as the sampler does.
  Result<bool> critical(Row& row, bool whole = true);

  std::int64_t rows() const { return rows_; }
  std::int64_t critical_rows() const { return critical_rows_; }
  /// The measure where small was least certain; none before the first row.
  std::optional<double> extreme() const { return extreme_; }

 private:
  Result<void> choose(Row& row) const;

  const CriticalRule& rule_;
  const Want want_;
  Want look_;
  std::int64_t rows_ = 0;
  std::int64_t critical_rows_ = 0;
  std::optional<double> extreme_;
};

}  // namespace lichen::mechanisms
