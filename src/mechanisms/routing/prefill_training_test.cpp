#include "mechanisms/routing/prefill_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mechanisms/routing/example_router.h"
#include "mechanisms/routing/hashing.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kWidth = 6;

/// Three features matter, on scales that differ a millionfold; one never varies.
std::vector<Example> examples(std::uint64_t count, std::uint64_t seed) {
  std::vector<Example> all;
  for (std::uint64_t i = 0; i < count; ++i) {
    Example example{.prompt = std::to_string(i)};
    for (std::uint64_t k = 0; k < kWidth; ++k) {
      example.features.push_back(
          static_cast<float>(2 * unit_interval(mixed(seed + i * kWidth + k)) - 1));
    }
    const bool hard = example.features[0] + 0.5F * example.features[1] > 0;
    example.large_right = hard || example.features[2] > 0;
    example.small_right = !hard;
    example.features[1] *= 1'000;
    example.features[2] *= 0.001F;
    example.features[5] = 7;
    all.push_back(std::move(example));
  }
  return all;
}

TEST(TrainPrefill, LearnsFromTheFeatures) {
  const auto file = train_router(examples(800, 1), {.kind = RouterKind::prefill});
  ASSERT_TRUE(file) << file.error().detail;
  EXPECT_EQ(file->prefill.width, kWidth);
  const auto read = parse_router_file(serialized(*file), "x.router");
  ASSERT_TRUE(read) << read.error().detail;
  const auto router = ExampleRouter::open(*read);
  ASSERT_TRUE(router) << router.error().detail;
  int agree = 0;
  for (const Example& example : examples(400, 1u << 20)) {
    const double need = router->need(example).value_or(NAN);
    EXPECT_GE(need, 0);
    EXPECT_LE(need, 1);
    agree += (need > 0.5) == !example.small_right;
  }
  EXPECT_GT(agree, 320);
}

TEST(TrainPrefill, RepeatsItself) {
  const TrainingOptions options{.kind = RouterKind::prefill, .seed = 3};
  const auto data = examples(100, 1);
  EXPECT_EQ(serialized(*train_router(data, options)), serialized(*train_router(data, options)));
}

TEST(TrainPrefill, RefusesFeaturesThatAreNone) {
  const TrainingOptions options{.kind = RouterKind::prefill};
  const auto error = [&](std::vector<Example> data) {
    const auto file = train_router(data, options);
    EXPECT_FALSE(file);
    if (file) return std::string();
    EXPECT_EQ(file.error().code, Errc::bad_request);
    return file.error().detail;
  };
  auto none = examples(100, 1);
  for (Example& example : none) example.features.clear();
  EXPECT_THAT(error(none), HasSubstr("lichen route collect"));
  auto uneven = examples(100, 1);
  uneven[40].features.pop_back();
  EXPECT_THAT(error(uneven), HasSubstr("example 41 has 5 features instead of 6"));
  auto odd = examples(100, 1);
  odd[7].features[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(error(odd), HasSubstr("example 8 has a feature that is no number"));
}

TEST(ExampleRouter, RefusesExamplesOfAnotherForm) {
  const auto file = *train_router(examples(100, 1), {.kind = RouterKind::prefill});
  const auto router = ExampleRouter::open(file);
  ASSERT_TRUE(router);
  Example example = examples(1, 1).front();
  EXPECT_TRUE(router->need(example));
  example.features[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(router->need(example).error().detail, HasSubstr("no number"));
  example.features.pop_back();
  EXPECT_THAT(router->need(example).error().detail, HasSubstr("5 features of each prompt"));
}

}  // namespace
}  // namespace lichen::mechanisms
