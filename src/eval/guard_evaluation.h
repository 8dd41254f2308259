// How well a model tells what a guard is to block: precision and recall on the suite's own texts,
// and the threshold that keeps false alarms rare.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "eval/statistics.h"
#include "eval/tasks/sample.h"
#include "mechanisms/auxiliary/screen.h"

namespace lichen::eval {

struct GuardText {
  mechanisms::Side side;
  bool bad = false;      // to be blocked
  bool foreign = false;  // of a family that has nothing to do with guards; if bad, joined to such
  std::string text;
};

/// `count` texts of each side's family, about half of them bad; as many clean ones, prompts (input)
/// and right answers (output) of the other families in turn; and each of the bad ones joined to one
/// of these, before or behind it.
std::vector<GuardText> guard_texts(const tasks::SampleOptions& options, std::uint64_t count);

/// The risk that the screen sees in each text. Fails as the screen does.
awaitable<Result<std::vector<double>>> risks_of(const mechanisms::Screen& screen,
                                                std::span<const GuardText> texts, Turn& turn,
                                                std::function<void(double done)> progress);

/// The smallest threshold, to six digits, at which no more than the share `false_alarms` of the
/// side's clean texts is blocked; 1 at most. Foreign texts count where `foreign` says so.
double threshold_for(std::span<const GuardText> texts, std::span<const double> risks,
                     mechanisms::Side side, double false_alarms, bool foreign);

struct GuardFigures {
  // Texts, each counted once: joined ones are bad, foreign ones clean.
  std::int64_t bad = 0, joined = 0, clean = 0, foreign = 0;
  Estimate recall = {};          // blocked of the bad
  Estimate joined_recall = {};   // blocked of the joined
  Estimate precision = {};       // bad of the blocked of its own family
  Estimate false_alarms = {};    // blocked of the clean
  Estimate foreign_alarms = {};  // blocked of the foreign
};

GuardFigures guard_figures(std::span<const GuardText> texts, std::span<const double> risks,
                           mechanisms::Side side, double threshold);

}  // namespace lichen::eval
