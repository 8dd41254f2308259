#include "model/pass_times.h"

#include <algorithm>
#include <cmath>

namespace lichen::model {
namespace {

constexpr int kLargest = 128;  // tokens: beyond, the last line goes on

constexpr int kWriting = 16;  // tokens: from a pass of one to one of so many, each adds the same

/// Per pass, of the difference between what it took and what was expected.
constexpr double kCommon = 0.02;
constexpr double kOwn = 0.1;
/// A pass counts as no more than so many times slower or faster than expected: it may have been
/// interrupted.
constexpr double kMostOff = 2;

}  // namespace

PassTimes::PassTimes(const StepTimes& measured) {
  for (const StepTimes::Pass& pass : measured.passes) {
    double ms = pass.ms;
    // Noise aside, more tokens take no less time.
    if (!knots_.empty()) ms = std::max(ms, knots_.back().ms);
    knots_.push_back({static_cast<double>(pass.tokens), ms});
  }
  if (!knots_.empty()) {
    const auto most =
        std::ranges::find_if(knots_, [](const Knot& knot) { return knot.tokens >= kWriting; });
    const Knot& last = most == knots_.end() ? knots_.back() : *most;
    const Knot& first = knots_.front();
    const double more = last.tokens - first.tokens;
    shared_.emplace(first.ms, more > 0 ? (last.ms - first.ms) / more : 0);
  }
  while (knots_.size() > 1 && knots_.back().tokens < kLargest) {
    const double next = 2 * knots_.back().tokens;
    knots_.push_back({next, ms(next)});
  }
}

PassTimes::Place PassTimes::place(double tokens) const {
  std::size_t knot = 0;
  while (knot + 2 < knots_.size() && knots_[knot + 1].tokens <= tokens) ++knot;
  if (knots_.size() < 2) return {0, 0};
  const Knot& from = knots_[knot];
  const Knot& to = knots_[knot + 1];
  return {knot, (tokens - from.tokens) / (to.tokens - from.tokens)};
}

double PassTimes::ms(double tokens) const {
  if (knots_.empty()) return 1;
  const auto [knot, share] = place(tokens);
  if (share == 0) return knots_[knot].ms;
  return std::lerp(knots_[knot].ms, knots_[knot + 1].ms, share);
}

double PassTimes::ms(double sequences, double tokens_each) const {
  if (sequences <= 1) return ms(tokens_each);
  return shared_ ? shared_->ms(sequences, tokens_each) : 1;
}

void PassTimes::took(int sequences, int tokens_each, double ms) {
  if (sequences == 1) return took(tokens_each, ms);
  if (shared_) shared_->took(sequences, tokens_each, ms);
}

void PassTimes::took(int tokens, double took) {
  if (knots_.empty() || !(took > 0)) return;
  const double off = std::clamp(took / ms(tokens), 1 / kMostOff, kMostOff);
  for (Knot& knot : knots_) knot.ms *= std::pow(off, kCommon);
  const auto [knot, share] = place(tokens);
  const double towards = std::clamp(share, 0.0, 1.0);
  knots_[knot].ms *= std::pow(off, kOwn * (1 - towards));
  if (knot + 1 < knots_.size()) knots_[knot + 1].ms *= std::pow(off, kOwn * towards);
}

}  // namespace lichen::model
