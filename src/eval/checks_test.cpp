#include "eval/checks.h"

#include <gtest/gtest.h>

#include <string>

namespace lichen::eval {
namespace {

bool right(std::string_view check, std::string_view reference, std::string_view answer) {
  const auto found = find_check(check);
  EXPECT_TRUE(found) << check;
  const auto result = (*found)->right(reference, answer);
  EXPECT_TRUE(result) << result.error().detail;
  return result.value_or(false);
}

bool accepts(std::string_view check, std::string_view reference) {
  return (*find_check(check))->accepts(reference).has_value();
}

TEST(Checks, UnknownNameListsWhatThereIs) {
  const auto found = find_check("fuzzy");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::not_found);
  EXPECT_EQ(found.error().detail,
            "no check \"fuzzy\"; there are exact, numeric, contains, regex, json");
}

TEST(Checks, ExactIgnoresOnlySurroundingSpace) {
  EXPECT_TRUE(right("exact", "12 + 30 = 42", " 12 + 30 = 42\n"));
  EXPECT_FALSE(right("exact", "12 + 30 = 42", "12 +  30 = 42"));
  EXPECT_FALSE(right("exact", "42", "42."));
  EXPECT_TRUE(right("exact", "", "  "));
}

TEST(Checks, NumericTakesTheLastNumber) {
  EXPECT_TRUE(right("numeric", "42", "6 * 7 = 42."));
  EXPECT_TRUE(right("numeric", "1234.5", "It is 1,234.50 euros"));
  EXPECT_TRUE(right("numeric", "-3", "The answer is -3"));
  EXPECT_TRUE(right("numeric", "3", "5-3"));
  EXPECT_TRUE(right("numeric", "2000000", "about 2e6"));
  EXPECT_TRUE(right("numeric", "0.5", "so .5"));
  EXPECT_TRUE(right("numeric", "3", "1, 2, 3"));
  EXPECT_FALSE(right("numeric", "42", "42, not 43"));
  EXPECT_FALSE(right("numeric", "42", "forty-two"));
  EXPECT_FALSE(right("numeric", "1", "1" + std::string(400, '0')));
}

TEST(Checks, NumericReferenceMustHoldANumber) {
  EXPECT_TRUE(accepts("numeric", "x = 4"));
  EXPECT_FALSE(accepts("numeric", "four"));
}

TEST(Checks, ContainsIsLiteral) {
  EXPECT_TRUE(right("contains", "Paris", "It is Paris."));
  EXPECT_FALSE(right("contains", "Paris", "It is paris."));
  EXPECT_FALSE(accepts("contains", ""));
}

TEST(Checks, RegexSearches) {
  EXPECT_TRUE(right("regex", "^The answer is \\d+\\.$", "The answer is 12."));
  EXPECT_FALSE(right("regex", "^\\d+$", "12 apples"));
  EXPECT_FALSE(accepts("regex", "(unclosed"));
  EXPECT_FALSE(accepts("regex", std::string(2'000, 'a')));
}

TEST(Checks, RegexThatBacktracksWithoutEndIsAnError) {
  const auto result = (*find_check("regex"))->right("^(a+)+$", std::string(5'000, 'a') + "b");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::bad_request);
}

TEST(Checks, RegexRefusesAnAnswerOverTheLimit) {
  const auto result = (*find_check("regex"))->right("a", std::string(100'000, 'b'));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::too_large);
}

TEST(Checks, JsonComparesValues) {
  EXPECT_TRUE(right("json", R"({"a": 1, "b": [2, 3]})", R"({"b":[2,3.0],"a":1})"));
  EXPECT_TRUE(right("json", R"({"a": 1})", "```json\n{\"a\": 1}\n```"));
  EXPECT_FALSE(right("json", R"([1, 2])", "[2, 1]"));
  EXPECT_FALSE(right("json", R"({"a": 1})", R"({"a": 1, "b": 2})"));
  EXPECT_FALSE(right("json", R"({"a": 1})", R"({"b": 1})"));
  EXPECT_FALSE(right("json", R"({"a": "1"})", R"({"a": 1})"));
  EXPECT_FALSE(right("json", "1", "not JSON"));
  EXPECT_FALSE(right("json", "1", "```"));
  EXPECT_FALSE(right("json", "1", "``````"));
  EXPECT_FALSE(right("json", "1", std::string(10'000, '[')));
  EXPECT_FALSE(accepts("json", "{a: 1}"));
}

}  // namespace
}  // namespace lichen::eval
