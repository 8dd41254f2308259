#include "mechanisms/auxiliary/acceptance.h"

#include <algorithm>

namespace lichen::mechanisms {
namespace {

/// Lower edges of the bins, finer where guesses are nearly sure: there the difference decides how
/// many are worth making.
constexpr std::array kEdges = {0.0, 0.1, 0.2, 0.3,  0.4,  0.5,  0.6,
                               0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999};

/// A drafter is believed until it has been tried so many times.
constexpr double kPrior = 2;
/// What a bin remembers, in guesses.
constexpr double kMemory = 500;
/// High, since only a drafter that guesses shows what it is worth: a poor one is soon found out.
constexpr double kTypicalAtFirst = 0.95;
constexpr double kPlanRate = 0.02;
constexpr double kAnswerRate = 0.15;
constexpr double kAnswerMemory = 40;
/// No guess is certain.
constexpr double kMost = 0.999;

}  // namespace

Acceptance::Acceptance() : typical_(kTypicalAtFirst) {
  static_assert(kEdges.size() == kBins);
  for (std::size_t i = 0; i < kBins; ++i) {
    const double to = i + 1 < kBins ? kEdges[i + 1] : 1;
    bins_[i] = {.tried = kPrior, .accepted = kPrior * (kEdges[i] + to) / 2};
  }
}

std::size_t Acceptance::bin_of(double confidence) {
  const auto above = std::ranges::upper_bound(kEdges, confidence);
  return above == kEdges.begin() ? 0 : static_cast<std::size_t>(above - kEdges.begin()) - 1;
}

double Acceptance::chance(double confidence) const {
  const Bin& bin = bins_[bin_of(confidence)];
  return std::min(kMost, bin.accepted / bin.tried);
}

void Acceptance::checked(double confidence, bool accepted) {
  Bin& bin = bins_[bin_of(confidence)];
  if (bin.tried >= kMemory) {
    bin.accepted *= 1 - 1 / kMemory;
    bin.tried *= 1 - 1 / kMemory;
  }
  bin.tried += 1;
  bin.accepted += accepted ? 1 : 0;
}

void Acceptance::guessed(double chance) { typical_ += kPlanRate * (chance - typical_); }

double AnswerAcceptance::chance(double confidence) const {
  return std::min(kMost, plan_.chance(confidence) * accepted_ / expected_);
}

void AnswerAcceptance::checked(double confidence, bool accepted) {
  expected_ = (1 - 1 / kAnswerMemory) * expected_ + plan_.chance(confidence);
  accepted_ = (1 - 1 / kAnswerMemory) * accepted_ + (accepted ? 1 : 0);
  plan_.checked(confidence, accepted);
}

void AnswerAcceptance::guessed(double chance) {
  typical_ += kAnswerRate * (chance - typical_);
  plan_.guessed(chance);
}

}  // namespace lichen::mechanisms
