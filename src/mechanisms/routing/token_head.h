// `handover`'s learned criterion: the probability that large would write another token than small's
// likeliest, by a logistic regression on what small computes there anyway, its last hidden state
// (Co-LLM, arXiv 2403.03870, learns such a head; R2R, arXiv 2505.21600, a network on the same).
//
//   handover: {by: head, head: small.head, threshold: 0.05, ...}   from `lichen route train --plan`
//
// The weights are of one small model; a plan with another one is refused.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/session.h"

namespace lichen::mechanisms {

/// Names what follows; another one when that changes.
inline constexpr std::string_view kTokenSchema = "token-1";

/// What a row has to bring back for it.
inline constexpr Want kTokenLook{.top_k = 2, .entropy = true, .hidden = true};

/// By how much the likeliest token is more probable than the second; NaN where there is none. The
/// row has the two likeliest.
double margin(const Row& row);

/// Of a row that was looked at in this way: the logarithms of the entropy (nats) and of what the
/// margin lacks of 1, since most tokens are sure and differ in orders of magnitude; then the last
/// hidden state.
inline constexpr std::size_t kTokenScalars = 2;
std::vector<float> token_features(const Row& row);

/// A value; safe to read from any thread.
struct TokenHead {
  boost::json::object small = {};  // whose rows it reads (Options::identity)
  boost::json::object large = {};  // whose tokens it learned
  std::string data_hash = {};      // of the suite whose prompts large answered
  std::int64_t tokens = 0;         // that it learned from
  std::vector<double> mean = {};   // of each feature
  std::vector<double> scale = {};  // 1 / standard deviation; 0 of what never varied
  std::vector<double> weights = {};
  double bias = 0;

  std::size_t width() const { return weights.size(); }
  /// 0 to 1. NaN where a feature is, or where there are not `width` many.
  double probability(std::span<const float> features) const;
};

/// As load_sealed; `bad_model` for numbers that cannot be, and another schema, too.
Result<TokenHead> load_token_head(const std::filesystem::path& file);
Result<void> save_token_head(const TokenHead& head, const std::filesystem::path& file);

}  // namespace lichen::mechanisms
