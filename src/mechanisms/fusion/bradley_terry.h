// How strong candidates are, from which of two won (Bradley, Terry 1952, Biometrika 39: 324-345).
#pragma once

#include <cstddef>
#include <vector>

namespace lichen::mechanisms {

/// Who won how often over whom. A draw is half a win for either; any share will do.
class Wins {
 public:
  explicit Wins(std::size_t candidates)
      : candidates_(candidates), wins_(candidates * candidates, 0.0) {}

  std::size_t candidates() const { return candidates_; }
  double& of(std::size_t winner, std::size_t loser) { return wins_[winner * candidates_ + loser]; }
  double of(std::size_t winner, std::size_t loser) const {
    return wins_[winner * candidates_ + loser];
  }

 private:
  std::size_t candidates_;
  std::vector<double> wins_;
};

/// Strengths, of which `a / (a + b)` is the probability that a wins over b: those of greatest
/// likelihood, where each candidate has in addition won and lost `prior` times against one of
/// strength 1. That keeps the strengths of candidates finite that have never lost, and above 0
/// those of others that have never won; with a prior over 0 they are unique, whatever was compared.
std::vector<double> bradley_terry(const Wins& wins, double prior);

}  // namespace lichen::mechanisms
