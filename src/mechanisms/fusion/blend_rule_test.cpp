#include "mechanisms/fusion/blend_rule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/rows.h"

namespace lichen::mechanisms {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::vector<float> blended(BlendRule rule, const std::vector<std::vector<float>>& rows,
                           const std::vector<double>& weights) {
  std::vector<Voice> voices;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    voices.push_back(
        {.logits = rows[i], .norm = model::log_sum_exp(rows[i]), .weight = weights[i]});
  }
  std::vector<float> out;
  blend(rule, voices, out);
  return out;
}

/// Logits of these probabilities; the constant must not matter.
std::vector<float> logits(std::vector<double> probabilities, double constant) {
  std::vector<float> row;
  for (const double p : probabilities) row.push_back(static_cast<float>(std::log(p) + constant));
  return row;
}

TEST(BlendRuleTest, TheMeanIsOfProbabilities) {
  const auto out = blended(BlendRule::mean,
                           {logits({0.5, 0.4, 0.1}, 3), logits({0.1, 0.2, 0.7}, -2)}, {0.75, 0.25});
  EXPECT_NEAR(std::exp(out[0]), 0.4, 1e-6);
  EXPECT_NEAR(std::exp(out[1]), 0.35, 1e-6);
  EXPECT_NEAR(std::exp(out[2]), 0.25, 1e-6);
}

TEST(BlendRuleTest, TheProductIsOfPowers) {
  const auto out = blended(BlendRule::product,
                           {logits({0.5, 0.4, 0.1}, 3), logits({0.1, 0.2, 0.7}, -2)}, {0.75, 0.25});
  EXPECT_NEAR(out[0], 0.75 * std::log(0.5) + 0.25 * std::log(0.1), 1e-5);
  EXPECT_NEAR(out[1], 0.75 * std::log(0.4) + 0.25 * std::log(0.2), 1e-5);
  EXPECT_NEAR(out[2], 0.75 * std::log(0.1) + 0.25 * std::log(0.7), 1e-5);
}

TEST(BlendRuleTest, WhatOneRulesOutTheOtherMaySayInAMeanOnly) {
  const std::vector<float> certain{0, kNever}, open{0, 0};
  EXPECT_NEAR(blended(BlendRule::mean, {certain, open}, {0.5, 0.5})[1], std::log(0.25), 1e-6);
  EXPECT_EQ(blended(BlendRule::product, {certain, open}, {0.5, 0.5})[1], kNever);
  EXPECT_EQ(blended(BlendRule::mean, {certain, certain}, {0.5, 0.5})[1], kNever);
}

TEST(BlendRuleTest, AVoiceWithoutWeightIsNotHeard) {
  const std::vector<float> row{2, 1, -3}, other{kNever, 5, 9};
  for (const BlendRule rule : {BlendRule::mean, BlendRule::product}) {
    const auto out = blended(rule, {row, other}, {1, 0});
    for (std::size_t i = 0; i < row.size(); ++i) {
      EXPECT_NEAR(out[i], row[i] - model::log_sum_exp(row), 1e-6);
    }
  }
}

TEST(BlendRuleTest, ImprobableChoicesKeepTheirOrder) {
  const auto out = blended(BlendRule::mean, {{0, -200, -300}, {0, -250, -280}}, {0.5, 0.5});
  EXPECT_GT(out[1], out[2]);
  EXPECT_GT(out[2], kNever);
}

TEST(BlendRuleTest, WhoHesitatesCountsLess) {
  EXPECT_EQ(blend_weights(std::vector{3.0, 1.0}), (std::vector{0.75, 0.25}));
  const auto weights = blend_weights(std::vector{1.0, 1.0}, std::vector{0.0, std::log(4.0)});
  EXPECT_NEAR(weights[0], 0.8, 1e-9);
  EXPECT_NEAR(weights[1], 0.2, 1e-9);
  const auto far = blend_weights(std::vector{1.0, 1.0}, std::vector{2'000.0, 2'000.0});
  EXPECT_NEAR(far[0], 0.5, 1e-9);
}

}  // namespace
}  // namespace lichen::mechanisms
