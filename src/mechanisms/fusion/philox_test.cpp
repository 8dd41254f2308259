#include "mechanisms/fusion/philox.h"

#include <gtest/gtest.h>

#include <vector>

namespace lichen::mechanisms {
namespace {

using Words = std::array<std::uint32_t, 4>;

// kat_vectors of the authors' Random123, philox4x32 with 10 rounds.
TEST(Philox, GivesThePublishedWords) {
  EXPECT_EQ(philox({0, 0, 0, 0}, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0U, ~0U, ~0U, ~0U}, ~0ULL),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822ULL),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomSequence, IsTheSameInWhicheverPiecesItIsDrawn) {
  const RandomSequence sequence{.seed = 7, .stream = 0x123456789abcdefULL};
  std::vector<std::uint32_t> whole(1'000);
  sequence.draw(3, whole);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto at = static_cast<std::uint32_t>(i + 3);
    ASSERT_EQ(whole[i], philox({at / 4, 0, 0x89abcdef, 0x01234567}, 7)[at % 4]) << i;
  }
  for (const std::size_t size : {1U, 5U, 64U, 333U}) {
    std::vector<std::uint32_t> piece(size);
    for (std::size_t begin = 0; begin + size <= whole.size(); begin += size) {
      sequence.draw(3 + begin, piece);
      ASSERT_TRUE(std::equal(piece.begin(), piece.end(), whole.begin() + begin)) << size;
    }
  }
}

TEST(RandomSequence, GoesOnPastThirtyTwoBits) {
  const RandomSequence sequence{.seed = 1, .stream = 2};
  std::vector<std::uint32_t> words(128);
  sequence.draw((1ULL << 34) - 8, words);  // in words; the counter's lower half ends after 8
  EXPECT_EQ(words[7], philox({~0U, 0, 2, 0}, 1)[3]);
  EXPECT_EQ(words[8], philox({0, 1, 2, 0}, 1)[0]);
}

}  // namespace
}  // namespace lichen::mechanisms
