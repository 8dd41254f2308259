#include "mechanisms/auxiliary/draft_length.h"

#include <algorithm>

namespace lichen::mechanisms {

double DraftCosts::check(std::size_t guesses) const {
  return target->ms(sessions, static_cast<double>(guesses + 1));
}

double DraftCosts::draft(std::size_t guesses) const {
  return drafter == nullptr ? 0 : static_cast<double>(guesses) * drafter->ms(sessions, 1);
}

namespace {

struct Best {
  std::size_t guesses = 0;
  double rate = 0;  // tokens of each session per millisecond
};

Best best(const DraftCosts& costs, double typical, std::size_t most) {
  Best best;
  double tokens = 1;
  double reached = 1;
  for (std::size_t guesses = 0; guesses <= most; ++guesses) {
    const double rate = tokens / (costs.check(guesses) + costs.draft(guesses));
    if (rate > best.rate) best = {guesses, rate};
    reached *= typical;
    tokens += reached;
  }
  return best;
}

}  // namespace

double best_rate(const DraftCosts& costs, double typical, std::size_t most) {
  return best(costs, typical, most).rate;
}

std::size_t best_length(const DraftCosts& costs, double typical, std::size_t most) {
  return best(costs, typical, most).guesses;
}

DraftLength::DraftLength(const DraftCosts& costs, double typical, std::size_t most)
    : costs_(costs), typical_(typical), most_(most), rate_(best_rate(costs, typical, most)) {}

bool DraftLength::worth_more() const {
  const std::size_t made = reached_.size();
  if (fixed_) return made < most_;
  const double before = costs_.check(made) + costs_.draft(made);
  double reached = made == 0 ? 1 : reached_.back();
  double gain = 0;
  for (std::size_t guesses = made + 1; guesses <= most_; ++guesses) {
    reached *= typical_;
    gain += reached;
    if (gain > rate_ * (costs_.check(guesses) + costs_.draft(guesses) - before)) return true;
  }
  return false;
}

void DraftLength::add(double chance) {
  reached_.push_back((reached_.empty() ? 1 : reached_.back()) * chance);
}

std::size_t DraftLength::worth_checking() const {
  if (fixed_) return reached_.size();
  std::size_t best = 0;
  double best_gain = 0;
  double gain = 0;
  for (std::size_t guesses = 1; guesses <= reached_.size(); ++guesses) {
    gain += reached_[guesses - 1];
    const double net = gain - rate_ * (costs_.check(guesses) - costs_.check(0));
    if (net > best_gain) {
      best_gain = net;
      best = guesses;
    }
  }
  return best;
}

}  // namespace lichen::mechanisms
