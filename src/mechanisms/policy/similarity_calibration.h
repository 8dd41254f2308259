// From which similarity on two questions may be taken for the same: chosen on pairs of which that
// is known, so that with confidence 1 - delta at most the share alpha of the hits is wrong.
//
// As in routing/risk.h by Learn-then-Test, but the risk is a share of the hits and not of all
// requests: a threshold's p-value is P(X <= wrong hits) for X binomial with `hits` trials of
// probability alpha, since given how many pairs reach a fixed threshold, each of them is wrong
// independently with the same probability. Thresholds are tested from the greatest down, each at
// level delta, up to the first that is not rejected. Where so few pairs reach one that none of them
// wrong would show nothing, it is passed over: that keeps the level as long as the share of wrong
// hits does not fall with the similarity.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mechanisms/policy/question_facts.h"
#include "mechanisms/routing/risk.h"

namespace lichen::mechanisms {

struct ScoredPair {
  double cosine = 0;
  bool same_facts = false;  // see facts_of; without, it is no hit at any threshold
  bool same = false;        // one answer is right for both
};

struct SimilarityPoint {
  double threshold = 0;
  std::int64_t hits = 0;   // pairs from it on
  std::int64_t wrong = 0;  // of these, those that are not the same
};

/// What a cache with that threshold would have done.
SimilarityPoint count_at(std::span<const ScoredPair> pairs, double threshold);

/// The thresholds that are tested, from the greatest to the least; fixed, since they must not
/// depend on the pairs. Dense towards 1.
std::vector<double> similarity_grid();

struct SimilarityChoice {
  SimilarityPoint at = {};
  double upper_bound = 0;  // of the share of wrong hits, at level delta
};

/// The least threshold that the test allows; none where the pairs show none.
std::optional<SimilarityChoice> choose_similarity(std::span<const ScoredPair> pairs,
                                                  const RiskTarget& target);

struct SimilarityCalibration {
  boost::json::object embedder = {};  // what it is: its file's hash, or endpoint and name
  Equal equal = Equal::words;
  RiskTarget target = {};
  SimilarityChoice choice = {};
  std::int64_t pairs = 0;
  std::string data_hash = {};  // SHA-256 of the pairs' file, hexadecimal
};

/// As load_sealed; `bad_model` also for what a calibration cannot hold, and for one that was made
/// with other rules for facts.
Result<SimilarityCalibration> load_similarity(const std::filesystem::path& file);
Result<void> save_similarity(const SimilarityCalibration& calibration,
                             const std::filesystem::path& file);

}  // namespace lichen::mechanisms
