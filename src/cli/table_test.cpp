#include "cli/table.h"

#include <gtest/gtest.h>

namespace lichen::cli {
namespace {

TEST(Table, AlignsColumns) {
  Table table({{"plan", Table::Align::left}, {"right"}, {"note", Table::Align::left}});
  table.row({"small", "9.5 %", ""});
  table.row({"caf\xC3\xA9", "100.0 %", "best"});
  EXPECT_EQ(table.text(Terminal{}),
            "plan     right  note\n"
            "small    9.5 %\n"
            "caf\xC3\xA9   100.0 %  best\n");
}

TEST(Table, StylesTakeNoRoom) {
  const Terminal colourful{.colour = true};
  Table table({{"m", Table::Align::left}, {"n"}});
  table.row({colourful.styled("ab", Style::green), "1"});
  EXPECT_EQ(table.text(colourful), "\x1b[2mm\x1b[0m   \x1b[2mn\x1b[0m\n\x1b[32mab\x1b[0m  1\n");
}

TEST(Table, EmptyHasOnlyItsTitles) {
  const Table table({{"a", Table::Align::left}, {"b"}});
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.text(Terminal{}), "a  b\n");
}

}  // namespace
}  // namespace lichen::cli
