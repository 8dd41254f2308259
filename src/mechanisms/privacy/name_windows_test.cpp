#include "mechanisms/privacy/name_windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace lichen::mechanisms {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NameWindows, ShortTextsAreOneWindowEach) {
  const std::array<std::size_t, 3> counts = {3, 16, 1};
  EXPECT_THAT(name_windows(counts, 16),
              ElementsAre(NameWindow{.text = 0, .end = 3, .keep_end = 3},
                          NameWindow{.text = 1, .end = 16, .keep_end = 16},
                          NameWindow{.text = 2, .end = 1, .keep_end = 1}));
}

TEST(NameWindows, EmptyTextsHaveNone) {
  EXPECT_THAT(name_windows(std::array<std::size_t, 1>{0}, 16), IsEmpty());
  EXPECT_THAT(name_windows({}, 16), IsEmpty());
}

TEST(NameWindows, AllOfALongTextIsKeptOnceAndAwayFromEdges) {
  constexpr std::size_t kSize = 16, kMargin = 2;
  for (std::size_t count = 1; count < 100; ++count) {
    std::size_t kept = 0;
    for (const NameWindow& window : name_windows(std::array{count}, kSize)) {
      EXPECT_EQ(window.keep_begin, kept);
      EXPECT_LT(window.keep_begin, window.keep_end);
      EXPECT_LE(window.end - window.begin, kSize);
      if (window.begin > 0) EXPECT_GE(window.keep_begin, window.begin + kMargin);
      if (window.end < count) EXPECT_LE(window.keep_end, window.end - kMargin);
      kept = window.keep_end;
    }
    EXPECT_EQ(kept, count);
  }
}

}  // namespace
}  // namespace lichen::mechanisms
