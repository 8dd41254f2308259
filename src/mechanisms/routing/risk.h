// A bound on the risk of a router: with confidence 1 - delta, at most the share alpha of all
// answers is wrong where large alone is right.
//
// Learn-then-Test (Angelopoulos, Bates, Candes, Jordan, Lei 2021, arXiv 2110.01052): each threshold
// is the hypothesis "its risk is over alpha"; a threshold whose hypothesis is rejected may be used.
// The thresholds are tested in a fixed order, from the safest (all to large) to the boldest, each
// at level delta, up to the first that is not rejected (their section 4.2.2, fixed-sequence
// testing); so the probability that any used threshold breaks alpha is at most delta. The loss of
// an answer is 0 or 1, so the number of losses in n independent requests is binomial and the
// p-value is its exact lower tail; the bounds are those of Clopper and Pearson (1934, Biometrika
// 26).
//
// The thresholds to test must be fixed before the calibration data is looked at. The data must be
// independent of the router's training data, and like the requests to come.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lichen/result.h"

namespace lichen::mechanisms {

/// A file that speaks of more requests is none of ours.
inline constexpr std::int64_t kMostCalibrated = 1'000'000'000;

struct RiskTarget {
  double alpha = 0;  // risk allowed, over 0 and under 1
  double delta = 0;  // probability that the bound is broken, over 0 and under 1
};

/// P(X <= k) for X binomial with n trials of probability p; 0 <= k <= n, 0 <= p <= 1.
double binomial_tail(std::int64_t k, std::int64_t n, double p);

/// The one-sided Clopper-Pearson bound: the p with P(X <= k) = delta, above which the true
/// probability is with at most that probability. 1 where k = n or n = 0.
double upper_bound(std::int64_t k, std::int64_t n, double delta);

/// One request of calibration data.
struct Scored {
  double need = 0;      // the router's score, 0 to 1
  bool lost = false;    // small wrong, large right: a loss where small answers
  bool unlike = false;  // not both right, so their answers may differ
};

struct GridPoint {
  double threshold = 0;       // small answers where the need is under it
  std::int64_t by_small = 0;  // requests that small would answer
  std::int64_t losses = 0;    // of these
  std::int64_t unlike = 0;    // of these, the losses among them
  /// Of a handover: how many tokens all answers had, and `by_small` are of these; 0: of others.
  std::int64_t tokens = 0;
};

/// All that calibration data tells of a router: enough for every alpha and delta.
struct Calibration {
  std::int64_t n = 0;                // requests
  std::string data_hash = {};        // SHA-256 of the data, hexadecimal
  std::vector<GridPoint> grid = {};  // by growing threshold
};

/// Counts of the data at each threshold. `thresholds` grow.
Calibration calibrate(std::span<const Scored> data, std::span<const double> thresholds);

/// `count` thresholds from quantiles of needs, growing, each once: from those of all that is known
/// before calibration, such as the training prompts.
std::vector<double> threshold_grid(std::vector<double> needs, int count);

struct RiskChoice {
  double threshold = 0;
  GridPoint at = {};       // that threshold's counts
  double upper_bound = 0;  // of its risk, at level delta
};

/// The boldest threshold that the test allows; none where there is too little data, or the router
/// too poor, for even the safest: then large has to answer all.
std::optional<RiskChoice> choose_threshold(const Calibration& calibration,
                                           const RiskTarget& target);

/// What a plan with `risk` goes by, and what that promises.
struct Bound {
  std::filesystem::path file = {};  // that holds the calibration
  RiskTarget target = {};
  Calibration counts = {};
  std::optional<RiskChoice> choice = {};  // none: large has to answer everything
};

/// The fewest requests, all without a loss, that can show a risk under alpha:
/// (1 - alpha)^n <= delta.
std::int64_t least_data(const RiskTarget& target);

}  // namespace lichen::mechanisms
