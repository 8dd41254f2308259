#include "mechanisms/prompts.h"

#include <gtest/gtest.h>

#include <set>

namespace lichen::mechanisms {
namespace {

TEST(Prompts, EachIsShortAndHasSlots) {
  std::set<std::string_view> names;
  for (const Prompt& prompt : prompts()) {
    EXPECT_TRUE(names.insert(prompt.name).second) << prompt.name;
    EXPECT_FALSE(slots_of(prompt.text).empty()) << prompt.name;
    EXPECT_LE(prompt.text.size(), 250u) << prompt.name;
    EXPECT_FALSE(prompt.text.ends_with("\n")) << prompt.name;
  }
  EXPECT_GE(names.size(), 17u);
}

TEST(Prompts, RenderFillsSlots) {
  const auto text = render("judge", {{"question", "2 + 3?"}, {"answer", "5"}});
  ASSERT_TRUE(text) << text.error().detail;
  EXPECT_EQ(*text, "2 + 3?\n\nAnswer: 5\n\nIs this answer right? Reply yes or no.");
}

TEST(Prompts, ValuesAreNotScanned) {
  const auto text = render("judge", {{"question", "{answer} {question} {"}, {"answer", "}{x}"}});
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->starts_with("{answer} {question} {\n\nAnswer: }{x}\n"));
}

TEST(Prompts, MistakesAreErrors) {
  const auto unknown = render("jugde", {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::not_found);
  const auto surplus = render("judge", {{"question", "q"}, {"answer", "a"}, {"hint", "h"}});
  ASSERT_FALSE(surplus);
  EXPECT_EQ(surplus.error().code, Errc::bad_request);
  EXPECT_EQ(surplus.error().detail, "the prompt \"judge\" has no slot \"hint\"");
  const auto missing = render("judge", {{"question", "q"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().detail, "the prompt \"judge\" needs a value for its slot \"answer\"");
}

TEST(Prompts, OnlyNamesAreSlots) {
  EXPECT_EQ(slots_of("{a} {B} { } {} {a_b} {\"k\": {c}} {a} {d"),
            (std::vector<std::string_view>{"a", "a_b", "c"}));
}

}  // namespace
}  // namespace lichen::mechanisms
