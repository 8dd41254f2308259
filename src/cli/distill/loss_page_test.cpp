#include "cli/distill/loss_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(LossPage, HasBothCurvesAndWhatWasDone) {
  LossPage page{.title = "tuned <small>",
                .tiles = {{"loss", "0.5"}},
                .curve = {},
                .origin = {{"command", "lichen-distill train --steps 1000"}}};
  for (std::int64_t step = 1; step <= 1'000; ++step) {
    page.curve.push_back({.step = step, .loss = 4.0 / static_cast<double>(step)});
    if (step % 100 == 0) page.curve.back().held_out = {.loss = 0.25};
  }
  const std::string html = to_html(page);
  EXPECT_THAT(html, HasSubstr("tuned &lt;small&gt;"));
  EXPECT_THAT(html, HasSubstr("curve router"));
  EXPECT_THAT(html, HasSubstr("held out, step 300: 0.2500"));
  EXPECT_THAT(html, HasSubstr("lichen-distill train --steps 1000"));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_LT(html.size(), 40'000u);
}

TEST(LossPage, OfOneStepIsOneToo) {
  EXPECT_THAT(
      to_html({.title = "one", .tiles = {}, .curve = {{.step = 1, .loss = 2}}, .origin = {}}),
      HasSubstr("</html>"));
}

}  // namespace
}  // namespace lichen::cli
