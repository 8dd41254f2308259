// Where `handover` calls large: how undecided small is about its next token. To add a measure: a
// row in critical_token.cpp, its test, its line in docs/plans.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "lichen/session.h"

namespace lichen::mechanisms {

struct Criterion {
  std::string_view name;  // as a plan has it, and as receipts say it
  /// Of a row of logits. Pure.
  double (*of)(std::span<const float> logits);
  bool low_is_critical;  // a token is critical under the threshold; else from the threshold on
  double threshold;      // where the plan names none
  double most;           // the largest threshold that makes sense

  /// A value that is no number is critical.
  bool critical(double value, double limit) const {
    return low_is_critical ? !(value >= limit) : !(value < limit);
  }
};

/// The first one is the default.
std::span<const Criterion> criteria();

/// Stands before the sampler of an answer: a critical row is not sampled, so that neither penalties
/// nor a grammar nor the random numbers hear of a token that another model will write in its place.
/// For one answer; used by the lane while a step is in progress, as any sampler.
class CriticalGate : public Sampler {
 public:
  /// `sampler` may be null: argmax.
  CriticalGate(const Criterion& criterion, double threshold, Sampler* sampler)
      : criterion_(criterion), threshold_(threshold), sampler_(sampler) {}

  /// Of a critical row the argmax, and the answer's sampler does not see it.
  Result<Token> sample(std::span<const float> logits) override;

  /// While it is open no row is critical.
  void open(bool open) { open_ = open; }
  /// Whether the last row was critical.
  bool critical() const { return critical_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t critical_rows() const { return critical_rows_; }
  /// The measure where small was least certain; none before the first row.
  std::optional<double> extreme() const { return extreme_; }

 private:
  const Criterion& criterion_;
  const double threshold_;
  Sampler* const sampler_;
  bool open_ = false;
  bool critical_ = false;
  std::int64_t rows_ = 0;
  std::int64_t critical_rows_ = 0;
  std::optional<double> extreme_;
};

}  // namespace lichen::mechanisms
