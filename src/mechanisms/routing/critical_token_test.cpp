#include "mechanisms/routing/critical_token.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace lichen::mechanisms {
namespace {

const Criterion& criterion(std::string_view name) {
  for (const Criterion& one : criteria()) {
    if (one.name == name) return one;
  }
  throw std::out_of_range("no such criterion");
}

/// Logits of a distribution.
std::vector<float> row(std::initializer_list<double> probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)) + 3);
  return logits;
}

TEST(Criteria, MeasureWhatTheySay) {
  const auto half = row({0.5, 0.3, 0.2});
  EXPECT_NEAR(criterion("entropy").of(half), 1.0297, 1e-4);
  EXPECT_NEAR(criterion("margin").of(half), 0.2, 1e-6);
  EXPECT_NEAR(criterion("entropy").of(row({1.0, 0, 0})), 0, 1e-6);
  EXPECT_NEAR(criterion("margin").of(row({1.0, 0, 0})), 1, 1e-6);
}

TEST(Criteria, EntropyIsCriticalFromTheThresholdOnAndAMarginUnderIt) {
  EXPECT_TRUE(criterion("entropy").critical(0, 0));
  EXPECT_TRUE(criterion("entropy").critical(0.8, 0.8));
  EXPECT_FALSE(criterion("entropy").critical(0.79, 0.8));
  EXPECT_FALSE(criterion("margin").critical(0, 0));
  EXPECT_FALSE(criterion("margin").critical(0.3, 0.3));
  EXPECT_TRUE(criterion("margin").critical(0.29, 0.3));
}

TEST(Criteria, WhatIsNoNumberIsCritical) {
  const float nan = std::nanf("");
  for (const Criterion& one : criteria()) {
    EXPECT_TRUE(one.critical(std::nan(""), one.threshold)) << one.name;
    EXPECT_TRUE(one.critical(one.of(std::vector<float>(3, std::numeric_limits<float>::infinity())),
                             one.threshold))
        << one.name;
  }
  EXPECT_TRUE(criterion("margin").critical(criterion("margin").of(std::vector<float>(3, nan)), 0));
}

class CountingSampler : public Sampler {
 public:
  Result<Token> sample(std::span<const float>) override {
    ++calls;
    return 2;
  }
  int calls = 0;
};

TEST(CriticalGateTest, KeepsCriticalRowsFromTheSampler) {
  CountingSampler sampler;
  CriticalGate gate(criterion("margin"), 0.3, &sampler);
  EXPECT_EQ(*gate.sample(row({0.9, 0.1})), 2);
  EXPECT_FALSE(gate.critical());
  EXPECT_EQ(*gate.sample(row({0.4, 0.6})), 1) << "small's likeliest";
  EXPECT_TRUE(gate.critical());
  EXPECT_EQ(sampler.calls, 1);
  EXPECT_EQ(gate.rows(), 2);
  EXPECT_EQ(gate.critical_rows(), 1);
  EXPECT_NEAR(*gate.extreme(), 0.2, 1e-6);
}

TEST(CriticalGateTest, WithoutASamplerItIsTheArgmax) {
  CriticalGate gate(criterion("entropy"), 100, nullptr);
  EXPECT_EQ(gate.extreme(), std::nullopt);
  EXPECT_EQ(*gate.sample(row({0.2, 0.8})), 1);
  EXPECT_FALSE(gate.critical());
}

}  // namespace
}  // namespace lichen::mechanisms
