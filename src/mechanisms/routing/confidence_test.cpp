#include "mechanisms/routing/confidence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lichen::mechanisms {
namespace {

double by(std::string_view name, const std::vector<float>& logprobs) {
  std::vector<AnswerToken> tokens(logprobs.size());
  for (std::size_t i = 0; i < logprobs.size(); ++i) tokens[i].logprob = logprobs[i];
  for (const Confidence& confidence : confidences()) {
    if (confidence.name == name) return confidence.of(tokens);
  }
  ADD_FAILURE() << "no confidence " << name;
  return 0;
}

TEST(Confidence, MeanIsOfAllTokensAndMinOfTheWorst) {
  EXPECT_DOUBLE_EQ(by("mean", {-0.5F, 0, -1}), -0.5);
  EXPECT_DOUBLE_EQ(by("min", {-0.5F, 0, -1}), -1);
  EXPECT_DOUBLE_EQ(by("min", {0}), 0);
}

TEST(Confidence, WhatIsNoNumberStaysNone) {
  for (const Confidence& confidence : confidences()) {
    EXPECT_TRUE(std::isnan(by(confidence.name, {-1, std::nanf(""), -2}))) << confidence.name;
  }
}

}  // namespace
}  // namespace lichen::mechanisms
