#include "mechanisms/policy/ridge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace lichen::mechanisms {
namespace {

Sketch of(int n) { return sketch_of("prompt number " + std::to_string(n * 7919 % 1000)); }

double squared_length(const Sketch& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return sum;
}

TEST(Ridge, BeforeAndAfterOneObservationAsTheFormulaHasIt) {
  const Sketch x = of(1);
  const double s = squared_length(x);
  Ridge ridge(0.25);
  EXPECT_DOUBLE_EQ(ridge.estimate(x).mean, 0.25);
  EXPECT_NEAR(ridge.estimate(x).width, std::sqrt(s), 1e-12);
  ridge.learn(x, 1);
  EXPECT_NEAR(ridge.estimate(x).mean, 0.25 + 0.75 * s / (1 + s), 1e-12);
  EXPECT_NEAR(ridge.estimate(x).width, std::sqrt(s / (1 + s)), 1e-12);
  EXPECT_EQ(ridge.observations(), 1);
}

TEST(Ridge, LearnsWhatIsLinearInTheSketch) {
  Ridge ridge(0);
  const auto truth = [](const Sketch& x) { return 0.5 + 1.5 * x[20] - 1.0 * x[30]; };
  for (int i = 0; i < 2'000; ++i) ridge.learn(of(i), truth(of(i)));
  for (int i = 0; i < 20; ++i) {
    EXPECT_NEAR(ridge.estimate(of(i)).mean, truth(of(i)), 0.02);
    EXPECT_LT(ridge.estimate(of(i)).width, 0.2);
  }
}

TEST(Ridge, ARevisedRewardIsAsIfItHadComeFirst) {
  Ridge one(0.5), other(0.5);
  for (int i = 0; i < 50; ++i) {
    one.learn(of(i), i % 2);
    other.learn(of(i), 0.3);
    other.revise(of(i), 0.3, i % 2);
  }
  EXPECT_NEAR(one.estimate(of(3)).mean, other.estimate(of(3)).mean, 1e-9);
  EXPECT_EQ(one.observations(), other.observations());
}

TEST(Ridge, ComesBackFromItsNumbers) {
  Ridge ridge(1);
  for (int i = 0; i < 50; ++i) ridge.learn(of(i), i % 2);
  Ridge back(1);
  ASSERT_TRUE(back.restore(ridge.numbers()));
  EXPECT_NEAR(back.estimate(of(7)).mean, ridge.estimate(of(7)).mean, 1e-12);
  EXPECT_EQ(back.observations(), 50);
}

TEST(Ridge, NumbersThatCannotBeAreRefused) {
  Ridge ridge(0);
  const std::vector<double> good = ridge.numbers();
  const auto refused = [&](std::size_t at, double value) {
    std::vector<double> bad = good;
    bad[at] = value;
    return !ridge.restore(bad);
  };
  EXPECT_TRUE(refused(0, -1));
  EXPECT_TRUE(refused(0, 1e300));
  EXPECT_TRUE(refused(5, std::numeric_limits<double>::quiet_NaN()));
  EXPECT_TRUE(refused(1 + kSketchSize, 0));
  EXPECT_TRUE(refused(1 + kSketchSize, 2));
  EXPECT_FALSE(ridge.restore(std::vector<double>(7)));
  EXPECT_TRUE(ridge.restore(good));
}

TEST(PromptSketch, IsBoundedForAnyBytes) {
  std::string everything;
  for (int i = 0; i < 100'000; ++i) everything += static_cast<char>(i * 31);
  for (const std::string& text : {std::string(), std::string(" "), std::string("hi"), everything}) {
    const Sketch x = sketch_of(text);
    EXPECT_EQ(x[0], 3);
    for (std::size_t i = 1; i < x.size(); ++i) EXPECT_LE(std::abs(x[i]), 0.2F);
  }
  EXPECT_EQ(sketch_of("Sort  the LIST"), sketch_of("Sort  the LIST"));
  EXPECT_NE(sketch_of("sort the list"), sketch_of("add the list"));
}

}  // namespace
}  // namespace lichen::mechanisms
