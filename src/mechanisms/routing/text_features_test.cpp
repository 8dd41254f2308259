#include "mechanisms/routing/text_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mechanisms/routing/text_vectors.h"

namespace lichen::mechanisms {
namespace {

float total(const TextFeatures& features) {
  float sum = 0;
  for (const BucketCount& hit : features.ngrams) sum += hit.count;
  return sum;
}

TEST(TextFeatures, CountsNgrams) {
  const FeatureOptions words{.word_ngrams = 2, .char_ngrams = 0};
  EXPECT_EQ(total(text_features("one two, two", words)), 4 + 3);
  EXPECT_EQ(total(text_features("", words)), 0);
  const FeatureOptions characters{.word_ngrams = 1, .char_ngrams = 4};
  EXPECT_EQ(total(text_features("ab", characters)), 1 + 2 + 1) << "' ab', 'ab ', ' ab '";
}

TEST(TextFeatures, CaseAndBlanksMakeNoDifference) {
  const FeatureOptions options{.char_ngrams = 5};
  EXPECT_EQ(text_features("What  is\n2+3?", options).ngrams,
            text_features("what IS 2+3?", options).ngrams);
  EXPECT_NE(text_features("what is 2+3?", options).ngrams,
            text_features("what is 2+4?", options).ngrams);
  EXPECT_EQ(normalized(" What\t is\n2+3? "), "what is 2+3?");
}

TEST(TextFeatures, BucketsGrowAndStayInBounds) {
  const FeatureOptions options{.hash_bits = 8, .char_ngrams = 6};
  std::string text;
  for (int i = 0; i < 256; ++i) text += static_cast<char>(i);
  const auto features = text_features(text + text, options);
  for (std::size_t i = 0; i < features.ngrams.size(); ++i) {
    EXPECT_LT(features.ngrams[i].bucket, 256u);
    if (i > 0) EXPECT_LT(features.ngrams[i - 1].bucket, features.ngrams[i].bucket);
  }
  for (const float value : features.surface) EXPECT_TRUE(std::isfinite(value));
}

TEST(TextFeatures, LongTextsAreReadAtBothEnds) {
  const std::string middle(3 * kMaxFeatureBytes, 'x');
  const auto features = text_features("start " + middle + " end", {});
  EXPECT_LE(total(features), 8);
  EXPECT_FLOAT_EQ(features.surface[0], std::log1p(static_cast<float>(middle.size() + 10)));
}

TEST(TextVector, HasLengthOneAndKnowsOnlyTrainingBuckets) {
  const FeatureOptions options{.hash_bits = 12};
  std::vector<TextFeatures> texts;
  for (const char* text : {"the red fox", "the red hen", "the old hen"}) {
    texts.push_back(text_features(text, options));
  }
  const TextWeights weights = learn_text_weights(texts, options);
  const auto length = [](const SparseVector& vector) {
    float squares = 0;
    for (const Entry& entry : vector) {
      if (entry.index < 4096) squares += entry.value * entry.value;
    }
    return squares;
  };
  EXPECT_NEAR(length(text_vector(text_features("the red hen sings", options), weights)), 1, 1e-6);
  EXPECT_EQ(length(text_vector(text_features("unheard words only", options), weights)), 0);
}

}  // namespace
}  // namespace lichen::mechanisms
