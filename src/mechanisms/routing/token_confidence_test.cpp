#include "mechanisms/routing/token_confidence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lichen::mechanisms {
namespace {

double by(std::string_view name, const std::vector<AnswerToken>& tokens, double quantile = 0) {
  const auto found = std::ranges::find(token_confidences(), name, &TokenConfidence::name);
  if (found != token_confidences().end()) return confidence_of(*found, tokens, quantile);
  ADD_FAILURE() << "no confidence " << name;
  return 0;
}

std::vector<AnswerToken> tokens(const std::vector<float>& logprobs) {
  std::vector<AnswerToken> tokens(logprobs.size());
  for (std::size_t i = 0; i < logprobs.size(); ++i) tokens[i].logprob = logprobs[i];
  return tokens;
}

/// A token whose likeliest alternatives have these probabilities.
AnswerToken token(const std::vector<double>& probabilities) {
  AnswerToken token;
  for (const double p : probabilities) {
    token.top.push_back({.text = "x", .logprob = static_cast<float>(std::log(p))});
  }
  token.logprob = token.top.front().logprob;
  return token;
}

TEST(TokenConfidence, MeanIsOfAllTokensAndMinOfTheWorst) {
  EXPECT_DOUBLE_EQ(by("mean", tokens({-0.5F, 0, -1})), -0.5);
  EXPECT_DOUBLE_EQ(by("min", tokens({-0.5F, 0, -1})), -1);
  EXPECT_DOUBLE_EQ(by("min", tokens({0})), 0);
}

TEST(TokenConfidence, AQuantileLiesBetweenTheLeastAndTheMost) {
  const auto five = tokens({-1, -5, -2, -4, -3});
  EXPECT_DOUBLE_EQ(by("quantile", five, 0), -5);
  EXPECT_DOUBLE_EQ(by("quantile", five, 0.25), -4);
  EXPECT_DOUBLE_EQ(by("quantile", five, 0.49), -4) << "rounded to the less sure";
  EXPECT_DOUBLE_EQ(by("quantile", five, 1), -1);
  EXPECT_DOUBLE_EQ(by("quantile", tokens({-2}), 0.5), -2);
}

TEST(TokenConfidence, MarginIsBetweenTheTwoLikeliest) {
  EXPECT_NEAR(by("margin", {token({0.9, 0.1}), token({0.5, 0.3, 0.2})}), 0.2, 1e-6);
  EXPECT_NEAR(by("margin", {token({0.9, 0.1}), token({0.5, 0.3, 0.2})}, 1), 0.8, 1e-6);
  EXPECT_TRUE(std::isnan(by("margin", {token({0.9, 0.1}), token({0.9})}))) << "nothing to compare";
}

TEST(TokenConfidence, EntropyCountsTheRestAsOneMore) {
  EXPECT_NEAR(by("entropy", {token({1})}), 0, 1e-6);
  EXPECT_NEAR(by("entropy", {token({1}), token({0.5, 0.5})}), -std::log(2), 1e-6);
  EXPECT_NEAR(by("entropy", {token({0.5, 0.25})}), -1.5 * std::log(2), 1e-6);
  EXPECT_TRUE(std::isnan(by("entropy", tokens({-1})))) << "no alternatives";
  AnswerToken sure = token({1});
  sure.top.push_back({.text = "never", .logprob = -INFINITY});
  EXPECT_NEAR(by("entropy", {sure}), 0, 1e-6);
}

TEST(TokenConfidence, WhatIsNoNumberStaysNone) {
  auto three = tokens({-1, std::nanf(""), -2});
  for (AnswerToken& token : three) token.top = {{"a", token.logprob}, {"b", -3}};
  for (const TokenConfidence& confidence : token_confidences()) {
    EXPECT_TRUE(std::isnan(confidence_of(confidence, three, 0.5))) << confidence.name;
  }
}

}  // namespace
}  // namespace lichen::mechanisms
