#include "cli/progress.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace lichen::cli {
namespace {

TEST(Progress, OnlyForWhatTakesLong) {
  EXPECT_FALSE(takes_long(0.1, 0.001)) << "too early to tell";
  EXPECT_FALSE(takes_long(0.5, 0.5));
  EXPECT_TRUE(takes_long(0.5, 0.1));
  EXPECT_FALSE(takes_long(1.9, 0));
  EXPECT_TRUE(takes_long(2.1, 0));
  EXPECT_TRUE(takes_long(2.1, 0.99));
}

TEST(Progress, LineFitsItsWidth) {
  for (int width = 0; width < 100; ++width) {
    for (const double fraction : {-1.0, 0.0, 0.001, 0.5, 1.0, 2.0}) {
      const auto line = progress_line(fraction, "cascade 12/240", 3, width);
      EXPECT_LE(display_width(line), static_cast<std::size_t>(width)) << width << " " << line;
    }
  }
}

TEST(Progress, LineShowsShareAndTimeLeft) {
  const auto line = progress_line(0.25, "demo", 30, 40);
  EXPECT_TRUE(line.starts_with("demo \u2588")) << line;
  EXPECT_TRUE(line.ends_with(" 25 %  1:30 left")) << line;
  EXPECT_TRUE(progress_line(0, "demo", 30, 40).ends_with("  0 %"));
}

TEST(Progress, SilentWhereNobodyWatches) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* memory = open_memstream(&text, &size);
  {
    ProgressBar bar({.file = memory, .interactive = false});
    bar.update(0.5, "x");
  }
  std::fclose(memory);
  EXPECT_EQ(size, 0u);
  std::free(text);
}

TEST(Progress, AppearsWhileTheWorkIsSilentAndGoesAway) {
  std::array<int, 2> ends;
  ASSERT_EQ(pipe(ends.data()), 0);
  std::FILE* out = fdopen(ends[1], "w");
  std::string shown;
  const auto read_until = [&](std::string_view text) {
    char byte;
    while (!shown.ends_with(text) && read(ends[0], &byte, 1) == 1) shown += byte;
  };
  {
    ProgressBar bar({.file = out, .interactive = true});
    bar.update(0.001, "measuring");  // at this rate it takes long
    read_until("measuring");
  }
  std::fclose(out);
  read_until("nothing more");
  close(ends[0]);
  EXPECT_TRUE(shown.ends_with("\r\x1b[K")) << shown;
}

}  // namespace
}  // namespace lichen::cli
