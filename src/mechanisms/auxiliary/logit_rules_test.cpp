#include "mechanisms/auxiliary/logit_rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lichen::mechanisms {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNaN = std::numeric_limits<float>::quiet_NaN();
using Logits = std::vector<float>;

TEST(Contrast, PrefersWhatTheAmateurDoesNotKnow) {
  Logits out;
  contrast(Logits{2, 1.9F, 1}, Logits{2, 0, 1}, 0.1, 0.5, out);
  EXPECT_EQ(out, (Logits{2, 2.85F, 1}));
}

TEST(Contrast, RulesOutWhatTheExpertFindsImplausible) {
  Logits out;
  // 3 below the most is a probability of 0.05 times the largest.
  contrast(Logits{4, 1, 3}, Logits{4, -20, 3}, 0.1, 1, out);
  EXPECT_EQ(out[1], -kInfinity) << "however little the amateur thinks of it";
  EXPECT_EQ(out[0], 4);
  EXPECT_EQ(out[2], 3);
}

TEST(Contrast, WithoutStrengthItIsTheExpert) {
  Logits out;
  contrast(Logits{4, 3.5F}, Logits{0, 9}, 0.1, 0, out);
  EXPECT_EQ(out, (Logits{4, 3.5F}));
}

TEST(Contrast, StandsNumbersThatAreNone) {
  Logits out;
  contrast(Logits{kNaN, 3, 2.5F, -kInfinity}, Logits{1, -kInfinity, kNaN, 1}, 0.1, 1, out);
  EXPECT_EQ(out, (Logits{-kInfinity, 3, -kInfinity, -kInfinity}));
}

TEST(ProxyTune, MovesLargeAsTuningMovedSmall) {
  Logits out;
  proxy_tune(Logits{1, 2, 3}, Logits{0, 5, 0}, Logits{0, 1, 1}, 1, out);
  EXPECT_EQ(out, (Logits{1, 6, 2}));
  proxy_tune(Logits{1, 2, 3}, Logits{0, 5, 0}, Logits{0, 1, 1}, 0.5, out);
  EXPECT_EQ(out, (Logits{1, 4, 2.5F}));
}

TEST(ProxyTune, StandsNumbersThatAreNone) {
  Logits out;
  proxy_tune(Logits{1, kNaN, -kInfinity}, Logits{-kInfinity, 1, 1}, Logits{-kInfinity, 1, 1}, 1,
             out);
  EXPECT_EQ(out, (Logits{-kInfinity, -kInfinity, -kInfinity}));
}

}  // namespace
}  // namespace lichen::mechanisms
