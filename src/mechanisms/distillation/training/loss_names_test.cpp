#include "mechanisms/distillation/training/loss_names.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lichen::training {
namespace {

TEST(LossNames, AreFoundAgainAndNumbersAreChecked) {
  for (const LossFacts& loss : losses()) {
    EXPECT_EQ(loss_named(loss.name), loss.kind);
    EXPECT_EQ(name_of(loss.kind), loss.name);
  }
  EXPECT_NE(loss_named("kl").error().detail.find("forward_kl"), std::string::npos);
  EXPECT_TRUE(check(LossOptions{}));
  EXPECT_FALSE(check({.beta = 1}));
  EXPECT_FALSE(check({.skew = std::nan("")}));
  EXPECT_FALSE(check({.hard = 1}));
}

}  // namespace
}  // namespace lichen::training
