#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace lichen::cli {
namespace {

TEST(Terminal, ColourOnlyOnATerminalThatKnowsItAndWithoutNoColor) {
  EXPECT_TRUE(wants_colour(true, nullptr, "xterm-256color"));
  EXPECT_TRUE(wants_colour(true, "", "xterm"));
  EXPECT_FALSE(wants_colour(true, "1", "xterm"));
  EXPECT_FALSE(wants_colour(false, nullptr, "xterm"));
  EXPECT_FALSE(wants_colour(true, nullptr, "dumb"));
  EXPECT_FALSE(wants_colour(true, nullptr, nullptr));
}

TEST(Terminal, StylesOnlyWhereColourIsWelcome) {
  const Terminal plain{.colour = false}, colourful{.colour = true};
  EXPECT_EQ(plain.styled("x", Style::red), "x");
  EXPECT_EQ(colourful.styled("x", Style::red), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(colourful.styled("x", Style::plain), "x");
  EXPECT_EQ(colourful.styled("", Style::red), "");
}

TEST(Terminal, AnswersCannotControlATerminal) {
  const Terminal person{.interactive = true}, pipe{.interactive = false};
  EXPECT_EQ(person.harmless("a\x1b]0;title\x07\r\n\tb\x7F"),
            "a\xEF\xBF\xBD]0;title\xEF\xBF\xBD\xEF\xBF\xBD\n\tb\xEF\xBF\xBD");
  EXPECT_EQ(person.harmless("\xC2\x9B 31m \xC3\xA9"), "\xEF\xBF\xBD 31m \xC3\xA9");
  EXPECT_EQ(pipe.harmless("a\x1b[31m"), "a\x1b[31m");
}

TEST(Terminal, WidthCountsCharactersAndNoStyles) {
  EXPECT_EQ(display_width(""), 0u);
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("\x1b[31mab\x1b[0m"), 2u);
  EXPECT_EQ(display_width("\xC3\xA9\xE2\x94\x80"), 2u);
}

}  // namespace
}  // namespace lichen::cli
