#include "mechanisms/fusion/answer_segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;
using testing::Field;

auto segment(double first, double second) {
  return Field(&Segment::logprobs, ElementsAre(first, second));
}

TEST(AnswerSegmentsTest, AreCutWhereAllModelsCut) {
  // "lichens": li-chen-s and lich-ens, then the end.
  const std::vector<ReadAnswer> readings{{.ends = {2, 6, 7}, .logprobs = {-1, -2, -4}, .end = -0.5},
                                         {.ends = {4, 7}, .logprobs = {-8, -16}, .end = -0.25}};
  EXPECT_THAT(common_segments(readings), ElementsAre(segment(-7, -24), segment(-0.5, -0.25)));
}

TEST(AnswerSegmentsTest, AreTokensWhereTheTokensAreTheSame) {
  const std::vector<ReadAnswer> readings{{.ends = {2, 6}, .logprobs = {-1, -2}, .end = -4},
                                         {.ends = {2, 6}, .logprobs = {-8, -16}, .end = -32}};
  EXPECT_THAT(common_segments(readings),
              ElementsAre(segment(-1, -8), segment(-2, -16), segment(-4, -32)));
}

TEST(AnswerSegmentsTest, OfNoTextTheEndIsLeft) {
  const std::vector<ReadAnswer> readings{{.ends = {}, .logprobs = {}, .end = -1},
                                         {.ends = {}, .logprobs = {}, .end = -2}};
  EXPECT_THAT(common_segments(readings), ElementsAre(segment(-1, -2)));
}

}  // namespace
}  // namespace lichen::mechanisms
