#include "mechanisms/pipeline/edits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <utility>
#include <vector>

namespace lichen::mechanisms {
namespace {

constexpr std::string_view kDraft = "3 + 4 = 8. 8 * 2 = 16. The answer is 16.";

TEST(Edits, ReplaceUniquePieces) {
  EXPECT_EQ(apply_edits(kDraft, "4 = 8 => 4 = 7\n8 * 2 = 16 => 7 * 2 = 14\nis 16 => is 14").value(),
            "3 + 4 = 7. 7 * 2 = 14. The answer is 14.");
  EXPECT_EQ(apply_edits("a b", "  a =>  \n\n").value(), " b");
}

TEST(Edits, OkChangesNothing) {
  for (const auto* reply : {"OK", " OK\n", "OK.", ""}) {
    EXPECT_EQ(apply_edits(kDraft, reply).value(), kDraft);
  }
}

TEST(Edits, MistakesAreErrors) {
  for (const auto* edits : {"16 => 14", "17 => 14", "14", " => 14", "OK then"}) {
    EXPECT_FALSE(apply_edits(kDraft, edits)) << edits;
  }
}

TEST(Edits, KnowWhoseEachByteIs) {
  Mending mending(kDraft);
  ASSERT_TRUE(mending.apply("4 = 8 => 4 = 7"));
  ASSERT_TRUE(mending.apply(""));
  ASSERT_TRUE(mending.apply("= 7. 8 * => = 7. 7 *"));  // over the edge of the first
  EXPECT_EQ(mending.text(), "3 + 4 = 7. 7 * 2 = 16. The answer is 16.");
  std::vector<std::pair<bool, std::size_t>> runs;
  for (const auto& [fresh, bytes] : mending.runs()) runs.emplace_back(fresh, bytes);
  EXPECT_THAT(runs, testing::ElementsAre(testing::Pair(false, 4), testing::Pair(true, 10),
                                         testing::Pair(false, 26)));
  EXPECT_FALSE(mending.apply("17 => 14"));
  EXPECT_EQ(mending.runs().size(), 3u) << "what fails changes nothing";
  mending.truncate(6);
  EXPECT_EQ(mending.text(), "3 + 4 ");
  EXPECT_EQ(mending.runs().size(), 2u);
}

}  // namespace
}  // namespace lichen::mechanisms
