// A confidence learned from what small and large made of prompts alone: two logistic regressions on
// numbers that are read off the answer's tokens, one for "only large is right" and one for "only
// small is right". Its value is (1 + P(only small) - P(only large)) / 2.
//
//   confidence: learned
//   learned: small.confidence   from `lichen route train --plan`
//
// The weights are of one small model; a plan with another one is refused.
#pragma once

#include <array>
#include <filesystem>
#include <span>
#include <stop_token>
#include <vector>

#include "mechanisms/routing/confidence.h"

namespace lichen::mechanisms {

inline constexpr std::size_t kAnswerFeatures = 12;
using AnswerFeatures = std::array<double, kAnswerFeatures>;

/// Alternatives that each token must carry for `answer_features`.
inline constexpr int kFeatureAlternatives = 5;

/// All finite, unless a token's log-probabilities are no numbers or too few: then NaN. `tokens` is
/// not empty.
AnswerFeatures answer_features(std::span<const AnswerToken> tokens);

struct LearnedConfidence {
  struct Head {
    AnswerFeatures weights = {};  // of standardized features
    double bias = 0;
  };
  boost::json::object small;  // which one answered (Options::identity)
  AnswerFeatures mean = {};
  AnswerFeatures scale = {};  // 1 / standard deviation; 0 of what never varied
  Head only_small, only_large;

  /// 0 to 1; NaN where a feature is.
  double of(const AnswerFeatures& features) const;
};

struct JudgedAnswer {
  AnswerFeatures features = {};  // of small's answer
  bool small_right = false;
  bool large_right = false;
};

/// `bad_request`: fewer than 20 answers, or large is nowhere, or everywhere, right where small is
/// wrong. The same answers give the same weights. `small` is left empty.
Result<LearnedConfidence> train_confidence(std::span<const JudgedAnswer> answers,
                                           const std::stop_token& stop = {});

/// As load_sealed.
Result<LearnedConfidence> load_learned(const std::filesystem::path& file);
Result<void> save_learned(const LearnedConfidence& learned, const std::filesystem::path& file);

Result<std::unique_ptr<Confidence>> build_learned(Options& options, const AnswererPtr& small);

}  // namespace lichen::mechanisms
