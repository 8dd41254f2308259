#include "mechanisms/fusion/piece_sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lichen::mechanisms {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::vector<float> logprobs(const std::vector<double>& probabilities) {
  std::vector<float> row;
  for (const double p : probabilities)
    row.push_back(p > 0 ? static_cast<float>(std::log(p)) : kNever);
  return row;
}

/// How often each is chosen.
std::vector<double> shares(const Sampling& sampling, const std::vector<float>& row) {
  PieceSampler sampler(sampling);
  constexpr int kTimes = 4'096;  // a power of two: shares are exact
  std::vector<double> shares(row.size());
  for (int i = 0; i < kTimes; ++i) shares[sampler.choose(row)] += 1.0 / kTimes;
  return shares;
}

TEST(PieceSamplerTest, WithoutTemperatureTakesTheLikeliest) {
  PieceSampler sampler({});
  EXPECT_EQ(sampler.choose(logprobs({0.2, 0.5, 0.3})), 1U);
  EXPECT_EQ(sampler.choose(logprobs({0, 0, 1})), 2U);
}

TEST(PieceSamplerTest, DrawsByProbabilityAndTemperature) {
  const auto row = logprobs({0.2, 0.5, 0.3, 0});
  const auto plain = shares({.temperature = 1, .seed = 1}, row);
  EXPECT_NEAR(plain[0], 0.2, 0.03);
  EXPECT_NEAR(plain[1], 0.5, 0.03);
  EXPECT_EQ(plain[3], 0);
  const auto cold = shares({.temperature = 0.5F, .seed = 1}, row);  // p squared
  EXPECT_NEAR(cold[1], 0.25 / 0.38, 0.03);
}

TEST(PieceSamplerTest, CutsOffWhatIsImprobable) {
  const auto row = logprobs({0.1, 0.5, 0.3, 0.1});
  EXPECT_EQ(shares({.temperature = 1, .top_k = 1, .seed = 1}, row)[1], 1);
  const auto nucleus = shares({.temperature = 1, .top_p = 0.6F, .seed = 1}, row);
  EXPECT_NEAR(nucleus[1], 0.5 / 0.8, 0.03);
  EXPECT_EQ(nucleus[0] + nucleus[3], 0);
  const auto likely = shares({.temperature = 1, .min_p = 0.5F, .seed = 1}, row);
  EXPECT_NEAR(likely[2], 0.3 / 0.8, 0.03);
  EXPECT_EQ(likely[0] + likely[3], 0);
}

TEST(PieceSamplerTest, TheSeedDecides) {
  const auto row = logprobs({0.25, 0.25, 0.25, 0.25});
  const auto drawn = [&](std::int64_t seed) {
    PieceSampler sampler({.temperature = 1, .seed = seed});
    std::vector<std::size_t> places;
    for (int i = 0; i < 20; ++i) places.push_back(sampler.choose(row));
    return places;
  };
  EXPECT_EQ(drawn(5), drawn(5));
  EXPECT_NE(drawn(5), drawn(6));
}

}  // namespace
}  // namespace lichen::mechanisms
