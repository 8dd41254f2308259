#include "model/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace lichen::model {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Below, at and above the sizes of lanes and blocks, and those of real vocabularies.
constexpr std::size_t kSizes[] = {1, 2, 63, 64, 65, 127, 1023, 1024, 1025, 2048, 4099, 32'000};

std::vector<float> random_row(std::size_t size, float spread, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> row(size);
  // Not std::normal_distribution, which differs between libraries.
  for (float& logit : row) {
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<float>(random() >> 8) / (1 << 24);
    logit = (sum - 2) * spread;
  }
  return row;
}

Token slow_argmax(const std::vector<float>& row) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[i] > row[best] || (std::isnan(row[best]) && !std::isnan(row[i]))) best = i;
  }
  return static_cast<Token>(best);
}

long double exact_sum(const std::vector<float>& row, float max) {
  long double sum = 0;
  for (const float logit : row) {
    if (!std::isnan(logit)) sum += std::exp(static_cast<long double>(logit) - max);
  }
  return sum;
}

void expect_close(const std::vector<float>& row) {
  float max = -kInf;
  for (const float logit : row) max = logit > max ? logit : max;
  const long double want = exact_sum(row, max);
  const long double got = std::exp(static_cast<long double>(log_sum_exp(row)) - max);
  EXPECT_LT(std::abs(got / want - 1), 1e-6) << "row of " << row.size();
}

TEST(Entropy, IsTheDistributions) {
  for (const std::size_t size : kSizes) {
    const std::vector<float> even(size, 3.0F);
    EXPECT_NEAR(entropy(even, log_sum_exp(even)), std::log(static_cast<double>(size)), 1e-4);
    const std::vector<float> row = random_row(size, 5, 11);
    const double norm = log_sum_exp(row);
    double exact = 0;
    for (const float logit : row) exact -= std::exp(logit - norm) * (logit - norm);
    EXPECT_NEAR(entropy(row, norm), exact, 1e-4) << size;
  }
  const std::vector<float> sure{kNan, 100, -kInf, 0};
  EXPECT_NEAR(entropy(sure, log_sum_exp(sure)), 0, 1e-6);
  const std::vector<float> none{-kInf, kNan};
  EXPECT_EQ(entropy(none, log_sum_exp(none)), 0);
}

TEST(Argmax, FindsTheLargestWhereverItIs) {
  for (const std::size_t size : kSizes) {
    std::vector<float> row = random_row(size, 5, 1);
    EXPECT_EQ(argmax(row), slow_argmax(row));
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
      const float before = std::exchange(row[at], 100.0F);
      EXPECT_EQ(argmax(row), static_cast<Token>(at));
      row[at] = before;
    }
  }
}

TEST(Argmax, TakesTheLowestOfEqualOnes) {
  std::vector<float> row(5'000, -1);
  EXPECT_EQ(argmax(row), 0);
  row[4'999] = row[3'000] = row[70] = 2;
  EXPECT_EQ(argmax(row), 70);
  row[70] = -1;
  EXPECT_EQ(argmax(row), 3'000);
  std::vector<float> zeros = {-1, -0.0F, 0.0F};
  EXPECT_EQ(argmax(zeros), 1);
}

TEST(Argmax, NeverTakesANan) {
  std::vector<float> row(3'000, kNan);
  EXPECT_EQ(argmax(row), 0);
  row[2'500] = -kInf;
  EXPECT_EQ(argmax(row), 2'500);
  row[2'900] = -5;
  EXPECT_EQ(argmax(row), 2'900);
}

TEST(Argmax, OfNothingIsNothing) { EXPECT_EQ(argmax({}), -1); }

TEST(LogSumExp, IsExactToAMillionth) {
  for (const std::size_t size : kSizes) {
    for (const float spread : {0.0F, 0.1F, 1.0F, 5.0F, 20.0F, 100.0F}) {
      expect_close(random_row(size, spread, 7));
    }
  }
}

TEST(LogSumExp, IsExactWhenATailOutweighsThePeak) {
  for (const float depth : {-9.123F, -11.7F, -12.77F, -15.01F}) {
    std::vector<float> row(128'000, depth + 17.3F);
    row[77] = 17.3F;
    expect_close(row);
  }
}

TEST(LogSumExp, IsStableForLargeLogits) {
  EXPECT_DOUBLE_EQ(log_sum_exp(std::vector<float>{3e38F}), 3e38F);
  EXPECT_DOUBLE_EQ(log_sum_exp(std::vector<float>{-3e38F, 3e38F}), 3e38F);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{1e4F, 1e4F}), 1e4 + std::log(2.0), 1e-9);
  EXPECT_NEAR(log_sum_exp(std::vector<float>(1000, -1e4F)), -1e4 + std::log(1000.0), 1e-6);
}

TEST(LogSumExp, TakesMaskedTokensAsImpossible) {
  std::vector<float> row = random_row(2'048, 5, 3);
  std::vector<float> kept;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i % 3 == 0) row[i] = -kInf;
    if (i % 3 == 1) row[i] = kNan;
    if (i % 3 == 2) kept.push_back(row[i]);
  }
  EXPECT_NEAR(log_sum_exp(row), log_sum_exp(kept), 1e-6);
  EXPECT_EQ(log_sum_exp(std::vector<float>(100, -kInf)), -kInf);
  EXPECT_EQ(log_sum_exp(std::vector<float>(100, kNan)), -kInf);
  EXPECT_EQ(log_sum_exp({}), -kInf);
  row[5] = kInf;
  EXPECT_EQ(log_sum_exp(row), kInf);
}

TEST(Entropy, AgreesWithTheDefinition) {
  for (const std::size_t size : kSizes) {
    for (const float spread : {0.1F, 5.0F, 40.0F}) {
      const std::vector<float> row = random_row(size, spread, 17);
      const double lse = log_sum_exp(row);
      double expected = 0;
      for (const float logit : row) expected -= std::exp(logit - lse) * (logit - lse);
      EXPECT_NEAR(entropy(row, lse), expected, 1e-4 * std::log(2.0 + size)) << size;
    }
  }
}

TEST(Entropy, KnowsItsLimits) {
  const std::vector<float> even(1'000, 3.0F);
  EXPECT_NEAR(entropy(even, log_sum_exp(even)), std::log(1'000.0), 1e-5);
  const std::vector<float> one = {-kInf, 2, kNan, -kInf};
  EXPECT_EQ(entropy(one, log_sum_exp(one)), 0);
  const std::vector<float> none(70, -kInf);
  EXPECT_EQ(entropy(none, log_sum_exp(none)), 0);
  const std::vector<float> endless = {1, kInf};
  EXPECT_TRUE(std::isnan(entropy(endless, log_sum_exp(endless))));
}

TEST(TopK, AgreesWithSorting) {
  for (const std::size_t size : kSizes) {
    std::vector<float> row = random_row(size, 5, 11);
    for (float& logit : row) logit = std::round(logit * 8) / 8;  // many ties
    const double lse = log_sum_exp(row);
    std::vector<Token> order(size);
    for (std::size_t i = 0; i < size; ++i) order[i] = static_cast<Token>(i);
    std::ranges::sort(
        order, [&](Token a, Token b) { return row[a] > row[b] || (row[a] == row[b] && a < b); });
    for (const int k : {1, 5, 20, 1'000}) {
      const std::vector<TokenProb> top = top_k(row, k, lse);
      ASSERT_EQ(top.size(), std::min<std::size_t>(k, size));
      for (std::size_t i = 0; i < top.size(); ++i) {
        ASSERT_EQ(top[i].token, order[i]) << "place " << i << " of " << size;
        ASSERT_FLOAT_EQ(top[i].logprob, static_cast<float>(row[order[i]] - lse));
      }
    }
  }
}

TEST(TopK, AddsUpToOne) {
  const std::vector<float> row = random_row(500, 3, 13);
  double sum = 0;
  for (const TokenProb& entry : top_k(row, 500, log_sum_exp(row))) sum += std::exp(entry.logprob);
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST(TopK, LeavesOutWhatCannotBeChosen) {
  const std::vector<float> row = {-kInf, 1, kNan, 2, -kInf};
  const std::vector<TokenProb> top = top_k(row, 4, log_sum_exp(row));
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].token, 3);
  EXPECT_EQ(top[1].token, 1);
  EXPECT_TRUE(top_k(row, 0, 0).empty());
  EXPECT_TRUE(top_k(row, -1, 0).empty());
  EXPECT_TRUE(top_k({}, 3, 0).empty());
}

}  // namespace
}  // namespace lichen::model
