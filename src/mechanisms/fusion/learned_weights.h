// Weights of a `blend` that were learned from right answers.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lichen/result.h"

namespace lichen::mechanisms {

/// A value; safe to read from any thread.
struct LearnedWeights {
  boost::json::array models = {};    // whose they are (the plan's `of` in Options::identity)
  std::vector<double> weights = {};  // of each, 1 in sum
  std::string data_hash = {};        // of the suite whose answers were read
  std::int64_t answers = 0;          // that were read
  std::int64_t segments = 0;         // of these answers
  std::vector<double> nats = {};     // mean negative log-likelihood of a segment, of each alone
  double blended_nats = 0;           // and of the mixture
};

/// Of what is common to the models' tokens of an answer, the log-probabilities under each model.
struct Segment {
  std::vector<double> logprobs;  // nats, of each model
};

/// Weights of the mixture under which the segments are the likeliest, by expectation-maximization:
/// w_i becomes the mean of w_i p_i / sum_j(w_j p_j). The likelihood is concave in the weights, so
/// there is one answer. Fills in `weights`, `segments`, `nats` and `blended_nats`. `bad_request`:
/// no segments.
Result<LearnedWeights> learn_weights(std::span<const Segment> segments);

/// As load_sealed; `bad_model`, too, where the numbers are no weights.
Result<LearnedWeights> load_learned_weights(const std::filesystem::path& file);
Result<void> save_learned_weights(const LearnedWeights& learned, const std::filesystem::path& file);

}  // namespace lichen::mechanisms
