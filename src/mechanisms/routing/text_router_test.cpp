// What every kind of text router has to do.
#include "mechanisms/routing/text_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "mechanisms/routing/hashing.h"
#include "mechanisms/routing/knn_router.h"
#include "mechanisms/routing/neighbours.h"
#include "mechanisms/routing/router_training.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

/// Small gets a third of the prompts wrong, those with lemmas; large gets sums wrong.
std::vector<Example> examples() {
  std::vector<Example> all;
  for (int i = 0; i < 90; ++i) {
    const bool hard = i % 3 == 0, sum = i % 3 == 1;
    all.push_back({.prompt = (hard  ? "Prove the lemma on rings, number "
                              : sum ? "Add the prices and give the sum "
                                    : "Name the capital of country ") +
                             std::to_string(i),
                   .small_right = !hard,
                   .large_right = !sum});
  }
  return all;
}

class TextRouterTest : public testing::TestWithParam<RouterKind> {
 protected:
  RouterFile trained(std::uint64_t seed = 1) const {
    return *train_router(examples(),
                         {.kind = GetParam(), .features = {.hash_bits = 9}, .seed = seed});
  }
};

INSTANTIATE_TEST_SUITE_P(Kinds, TextRouterTest,
                         testing::Values(RouterKind::linear, RouterKind::knn, RouterKind::mf,
                                         RouterKind::ensemble),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST_P(TextRouterTest, LearnsWhoIsNeeded) {
  const auto router = make_text_router(trained());
  ASSERT_TRUE(router) << router.error().detail;
  const double hard = (*router)->need("Prove the lemma on rings, number 1000");
  const double either = (*router)->need("Name the capital of country 1000");
  const double sum = (*router)->need("Add the prices and give the sum 1000");
  EXPECT_GT(hard, either + 0.05);
  EXPECT_GT(either, sum + 0.05) << "what small alone gets right is not for large";
}

TEST_P(TextRouterTest, NeedsStayBetween0And1) {
  const auto router = make_text_router(trained());
  ASSERT_TRUE(router);
  for (const std::string& text : {std::string(), std::string("?"), std::string("unheard words"),
                                  std::string(30'000, 'x'), std::string("\xFF\0\xC3", 3)}) {
    const double need = (*router)->need(text);
    EXPECT_GE(need, 0);
    EXPECT_LE(need, 1);
  }
}

TEST_P(TextRouterTest, ComesBackFromItsFile) {
  const RouterFile file = trained();
  const auto read = parse_router_file(serialized(file), "x.router");
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->kind, GetParam());
  const auto before = make_text_router(file), after = make_text_router(*read);
  ASSERT_TRUE(before && after);
  for (const Example& example : examples()) {
    EXPECT_NEAR((*before)->need(example.prompt), (*after)->need(example.prompt), 0.02);
  }
}

TEST_P(TextRouterTest, TrainingRepeatsItself) {
  EXPECT_EQ(serialized(trained(5)), serialized(trained(5)));
}

TEST_P(TextRouterTest, EachTableMustBeThereAndFit) {
  const RouterFile good = trained();
  for (std::size_t i = 0; i < good.tables.size(); ++i) {
    RouterFile without = good, longer = good;
    without.tables.erase(without.tables.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(make_text_router(without).error().code, Errc::bad_model) << good.tables[i].name;
    longer.tables[i].values.push_back(0);
    EXPECT_EQ(make_text_router(longer).error().code, Errc::bad_model) << good.tables[i].name;
  }
}

TEST_P(TextRouterTest, AnyFiniteNumbersInTheTablesAreSafe) {
  RouterFile file = trained();
  for (std::uint64_t i = 0; i < 20; ++i) {
    Table& table = file.tables[mixed(i) % file.tables.size()];
    for (float& value : table.values) value *= i % 2 == 0 ? 1e30F : -1e-30F;
    const auto router = make_text_router(file);
    if (router) (void)(*router)->need("Prove the lemma on rings, number 1000");
  }
}

TEST_P(TextRouterTest, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(train_router(examples(), {.kind = GetParam(), .stop = stop.get_token()}).error().code,
            Errc::cancelled);
}

TEST(KnnRouter, RefusesWithoutOrWithTooManyPoints) {
  RouterFile file =
      *train_router(examples(), {.kind = RouterKind::knn, .features = {.hash_bits = kMinHashBits}});
  const auto resized = [&](std::size_t points) {
    for (Table& table : file.tables) {
      if (table.name == "outcomes") table.values.resize(points);
      if (table.name == "points") table.values.resize(points * kPointWidth);
    }
    return make_text_router(file);
  };
  EXPECT_THAT(resized(0).error().detail, HasSubstr("has 0 `outcomes`"));
  EXPECT_TRUE(resized(1)) << "fewer than there are votes";
  EXPECT_TRUE(resized(150)) << "many at one place";
  EXPECT_THAT(resized(kMostPoints + 1).error().detail, HasSubstr("1 to 50000"));
}

TEST(PromptSpace, FoldsBucketsAndKeepsLengthOne) {
  const int bits = kFoldedBits + 2;
  const std::uint32_t buckets = 1u << bits;
  const SparseVector folded =
      PromptSpace::folded({{4, 1}, {7, 2}, {buckets - 1, 3}, {buckets, 4}}, bits);
  ASSERT_EQ(folded.size(), 3u) << "the surface is no bucket";
  EXPECT_EQ(folded[0].index, 1u);
  EXPECT_EQ(folded[1].index, 1u);
  EXPECT_EQ(folded[2].index, PromptSpace::folded_buckets(bits) - 1);
  const PromptSpace space(
      bits, std::vector<float>(PromptSpace::folded_buckets(bits) * kDirections, 0.5F));
  const auto length = [](const std::vector<float>& point) {
    float squares = 0;
    for (const float value : point) squares += value * value;
    return squares;
  };
  EXPECT_NEAR(length(space.point({{4, 1}, {buckets + 3, 0.2F}})), 1, 1e-5);
  EXPECT_EQ(length(space.point({})), 0);
}

}  // namespace
}  // namespace lichen::mechanisms
