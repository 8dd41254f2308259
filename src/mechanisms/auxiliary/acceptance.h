// How often a drafter's guesses are accepted, learned while it drafts.
#pragma once

#include <array>
#include <cstddef>

namespace lichen::mechanisms {

/// What all answers of a plan have taught of one drafter: how likely a guess of a given confidence
/// is accepted, and how likely the next guess is before it has been made. Recent guesses count
/// more. On one thread.
class Acceptance {
 public:
  Acceptance();

  double chance(double confidence) const;
  double typical() const { return typical_; }

  /// The target has taken or refused a guess.
  void checked(double confidence, bool accepted);
  /// A guess has been made whose chance was that.
  void guessed(double chance);

 private:
  struct Bin {
    double tried;
    double accepted;
  };
  static std::size_t bin_of(double confidence);

  static constexpr std::size_t kBins = 14;
  std::array<Bin, kBins> bins_;
  double typical_;
};

/// The same for one answer: what the plan knows, corrected by how this answer's guesses fare.
class AnswerAcceptance {
 public:
  explicit AnswerAcceptance(Acceptance& plan) : plan_(plan), typical_(plan.typical()) {}

  double chance(double confidence) const;
  double typical() const { return typical_; }

  void checked(double confidence, bool accepted);
  void guessed(double chance);

 private:
  static constexpr double kPrior = 4;  // guesses that the plan's knowledge counts as

  Acceptance& plan_;
  double typical_;
  double expected_ = kPrior;
  double accepted_ = kPrior;
};

}  // namespace lichen::mechanisms
