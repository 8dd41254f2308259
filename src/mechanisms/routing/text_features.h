// What a text router sees of a prompt: n-grams of words and of characters, hashed into buckets
// (Weinberger et al. 2009, arXiv 0902.2206), and a few numbers that describe its surface. Nothing
// here is learned; text_vectors.h makes weighted vectors of it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lichen::mechanisms {

/// Part of a router's file.
struct FeatureOptions {
  int hash_bits = 18;   // 2^hash_bits buckets
  int word_ngrams = 2;  // words in the longest n-gram of words
  int char_ngrams = 0;  // bytes in the longest n-gram of characters, from 3; 0: none
  bool operator==(const FeatureOptions&) const = default;
};

inline constexpr int kMinHashBits = 8;
inline constexpr int kMaxHashBits = 20;
inline constexpr int kMaxWordNgrams = 3;
inline constexpr int kMinCharNgrams = 3;
inline constexpr int kMaxCharNgrams = 6;

/// Of a longer text the first and the last half of this are looked at, so that a decision's time
/// has a bound. Its length counts as a whole.
inline constexpr std::size_t kMaxFeatureBytes = 8192;

/// How often a bucket was hit.
struct BucketCount {
  std::uint32_t bucket = 0;
  float count = 0;
  bool operator==(const BucketCount&) const = default;
};

inline constexpr std::size_t kSurfaceFeatures = 16;

struct TextFeatures {
  std::vector<BucketCount> ngrams = {};  // by growing bucket, each once
  std::array<float, kSurfaceFeatures> surface = {};
};

/// Letter case and runs of blanks make no difference to n-grams. Any bytes are allowed.
TextFeatures text_features(std::string_view text, const FeatureOptions& options);

/// `text` in lower case with runs of blanks as one: prompts that are equal so are duplicates.
std::string normalized(std::string_view text);

}  // namespace lichen::mechanisms
