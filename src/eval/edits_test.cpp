#include "eval/edits.h"

#include <gtest/gtest.h>

namespace lichen::eval {
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

}  // namespace
}  // namespace lichen::eval
