#include "mechanisms/fusion/learned_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace lichen::mechanisms {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

Segment segment(double p, double q) { return {.logprobs = {std::log(p), std::log(q)}}; }

TEST(LearnedWeightsTest, AreTheLikeliestOfTheMixture) {
  // w * 0.8 + (1 - w) * 0.2 twice, the other way round once: likeliest where w solves
  // 2 * 0.6 / (0.2 + 0.6 w) = 0.6 / (0.8 - 0.6 w), which is w = 7 / 9.
  const std::vector<Segment> segments{segment(0.8, 0.2), segment(0.8, 0.2), segment(0.2, 0.8)};
  const auto learned = learn_weights(segments);
  ASSERT_TRUE(learned);
  EXPECT_THAT(learned->weights, ElementsAre(DoubleNear(7.0 / 9, 1e-4), DoubleNear(2.0 / 9, 1e-4)));
  EXPECT_EQ(learned->segments, 3);
  EXPECT_NEAR(learned->nats[0], -(2 * std::log(0.8) + std::log(0.2)) / 3, 1e-9);
  EXPECT_LT(learned->blended_nats, learned->nats[0]);
}

TEST(LearnedWeightsTest, WhoIsNeverBetterIsNotHeard) {
  const std::vector<Segment> segments{segment(0.8, 0.1), segment(0.9, 0.3)};
  EXPECT_NEAR(learn_weights(segments)->weights[0], 1, 1e-3);
}

TEST(LearnedWeightsTest, TheImpossibleOfOneIsNoTrouble) {
  const std::vector<Segment> segments{segment(0, 0.5), segment(0.5, 0)};
  EXPECT_THAT(learn_weights(segments)->weights,
              ElementsAre(DoubleNear(0.5, 1e-9), DoubleNear(0.5, 1e-9)));
}

TEST(LearnedWeightsTest, NothingIsLearnedFromNothing) {
  EXPECT_EQ(learn_weights({}).error().code, Errc::bad_request);
}

class LearnedWeightsFileTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(file_); }
  const std::filesystem::path file_ =
      std::filesystem::temp_directory_path() /
      (std::string("lichen_learned_weights_") +
       testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(LearnedWeightsFileTest, ComesBackFromItsFile) {
  const LearnedWeights learned{
      .models = {"a", "b"}, .weights = {0.25, 0.75}, .nats = {1, 2}, .blended_nats = 0.5};
  ASSERT_TRUE(save_learned_weights(learned, file_));
  const auto loaded = load_learned_weights(file_);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->models, learned.models);
  EXPECT_EQ(loaded->weights, learned.weights);
}

TEST_F(LearnedWeightsFileTest, WhatIsNoWeightsIsRefused) {
  for (const std::vector<double>& weights :
       {std::vector<double>{0.5}, {0.5, 0.6}, {}, {-0.5, 1.5}}) {
    const LearnedWeights learned{.models = {"a", "b"}, .weights = weights};
    ASSERT_TRUE(save_learned_weights(learned, file_));
    EXPECT_THAT(load_learned_weights(file_).error().detail, HasSubstr("1 in sum"));
  }
  std::ofstream(file_) << "nothing";
  EXPECT_EQ(load_learned_weights(file_).error().code, Errc::bad_model);
}

}  // namespace
}  // namespace lichen::mechanisms
