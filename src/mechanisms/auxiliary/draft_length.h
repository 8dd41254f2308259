// How many tokens are worth drafting: what they cost against what they will likely save.
#pragma once

#include <cstddef>
#include <vector>

#include "model/pass_times.h"

namespace lichen::mechanisms {

/// What passes cost. All sessions that share a pass are taken to draft, and each as many tokens.
struct DraftCosts {
  const model::PassTimes* target = nullptr;
  const model::PassTimes* drafter = nullptr;  // null: guesses cost nothing
  double sessions = 1;                        // that share the target's pass, one at least

  /// Milliseconds for a pass that checks `guesses`.
  double check(std::size_t guesses) const;
  /// For `guesses` one after the other.
  double draft(std::size_t guesses) const;
};

/// The tokens per millisecond of an answer whose guesses are accepted with the probability
/// `typical` each, at the number of guesses that is best, 0 to `most`.
double best_rate(const DraftCosts& costs, double typical, std::size_t most);

/// That number of guesses.
std::size_t best_length(const DraftCosts& costs, double typical, std::size_t most);

/// One round: guesses are made until the next one would cost more time than it saves, where time is
/// worth `best_rate` tokens per millisecond. So the length is right in the long run and not for the
/// round alone (the marginal value theorem, Charnov 1976).
class DraftLength {
 public:
  /// `typical`: the chance of a guess that has not been made yet. `most`: guesses in this round.
  DraftLength(const DraftCosts& costs, double typical, std::size_t most);
  /// So many guesses, whatever they cost.
  explicit DraftLength(std::size_t guesses) : most_(guesses), fixed_(true) {}

  /// Whether to make another guess.
  bool worth_more() const;
  /// A guess was made that is accepted with that probability if those before it are.
  void add(double chance);
  /// How many of the guesses are worth checking.
  std::size_t worth_checking() const;

  std::size_t most() const { return most_; }

 private:
  const DraftCosts costs_ = {};
  const double typical_ = 0;
  const std::size_t most_;
  const bool fixed_ = false;
  const double rate_ = 0;        // tokens per millisecond
  std::vector<double> reached_;  // of each guess: the probability that it is accepted
};

}  // namespace lichen::mechanisms
