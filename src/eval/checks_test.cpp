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
            "no check \"fuzzy\"; there are exact, numeric, contains, regex, json, final, list, "
            "set, lines, choice, date, plan, judge, edits");
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
  EXPECT_FALSE(right("numeric", "700000000000", "700000000001"));
  EXPECT_TRUE(right("numeric", "0.1", "0.10000000000000001"));
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

TEST(Checks, FinalReadsWhatIsGivenAsTheAnswer) {
  EXPECT_TRUE(right("final", "3 + 4 = 7. The answer is 7.", "7"));
  EXPECT_TRUE(right("final", "Rome", "Let me see. The answer is **Rome**."));
  EXPECT_TRUE(right("final", "Rome", "Answer: \"rome\"\n"));
  EXPECT_TRUE(right("final", "Zürich", "The answer is Zürich."));
  EXPECT_TRUE(right("final", "5 remainder 2", "5  remainder\n2."));
  EXPECT_FALSE(right("final", "Rome", "Rome or Oslo"));
  EXPECT_FALSE(right("final", "Rome", "The answer is Rome. No: the answer is Oslo."));
  EXPECT_FALSE(right("final", "Rome", ""));
  EXPECT_FALSE(right("final", "Rome", "..."));
  EXPECT_FALSE(right("final", "Rome", std::string(1'000'000, 'a')));
  EXPECT_FALSE(accepts("final", ""));
}

TEST(Checks, ListKeepsTheOrderAndSetDoesNot) {
  EXPECT_TRUE(right("list", "a, b, c", "The answer is A, b and c."));
  EXPECT_TRUE(right("list", "a, b, c", "[a,b,c]"));
  EXPECT_TRUE(right("list", "a, b, c", "- a\n- b\n- c"));
  EXPECT_FALSE(right("list", "a, b, c", "a, c, b"));
  EXPECT_FALSE(right("list", "a, b, c", "a, b"));
  EXPECT_TRUE(right("set", "a, b, c", "c, a, b"));
  EXPECT_FALSE(right("set", "a, b, c", "a, b"));
  EXPECT_FALSE(right("set", "a, b, c", "a, b, c, d"));
  EXPECT_FALSE(right("set", "a", ""));
}

TEST(Checks, LinesInAnyOrder) {
  EXPECT_TRUE(right("lines", "NAME: Zoë\nPHONE: 1", " PHONE: 1\r\n\nNAME: Zoë"));
  EXPECT_FALSE(right("lines", "NAME: Zoë\nPHONE: 1", "NAME: Zoë"));
  EXPECT_FALSE(right("lines", "none", "NAME: Zoë"));
  EXPECT_FALSE(right("lines", "none", ""));
}

TEST(Checks, ChoiceIsTheFirstWord) {
  EXPECT_TRUE(right("choice", "yes", "Yes, it is."));
  EXPECT_TRUE(right("choice", "A", "The answer is A."));
  EXPECT_FALSE(right("choice", "yes", "no"));
  EXPECT_FALSE(right("choice", "yes", "yesterday"));
  EXPECT_FALSE(right("choice", "A", ""));
}

TEST(Checks, DateInAnyFormat) {
  for (const auto* answer : {"2024-03-05", "5 March 2024", "March 5, 2024.", "It is Mar 5 2024",
                             "2024-03-01 + 4 = 2024-03-05. The answer is 2024-03-05."}) {
    EXPECT_TRUE(right("date", "2024-03-05", answer)) << answer;
  }
  for (const auto* answer :
       {"2024-03-06", "2024-05-03", "2024-03-05, no, 2024-03-06", "March", "", "2023-02-29"}) {
    EXPECT_FALSE(right("date", "2024-03-05", answer)) << answer;
  }
  EXPECT_FALSE(accepts("date", "2023-02-29"));
}

TEST(Checks, PlanIsExecuted) {
  constexpr std::string_view kWorld = "grid 3 3\nrobot 0 0\nwall 1 0\ngoal robot 2 0\nsteps 8";
  EXPECT_TRUE(accepts("plan", kWorld));
  EXPECT_TRUE(right("plan", kWorld, "down 1, right 2, up 1"));
  EXPECT_TRUE(right("plan", kWorld, "The answer is down 2; right 2; up 2."));
  EXPECT_TRUE(right("plan", kWorld, "Down\nright 2\nup"));
  EXPECT_FALSE(right("plan", kWorld, "right 2"));
  EXPECT_FALSE(right("plan", kWorld, "down 1, right 2"));
  EXPECT_FALSE(right("plan", kWorld, "fly 2"));
  EXPECT_FALSE(right("plan", kWorld, ""));
  EXPECT_FALSE(right("plan", kWorld, std::string(100'000, ',')));
  EXPECT_FALSE(accepts("plan", "grid 3 3"));
  EXPECT_FALSE(accepts("plan", "grid 3 3\nrobot 9 9\ngoal robot 1 1"));
}

TEST(Checks, EditsMendTheDraft) {
  constexpr std::string_view kReference =
      R"({"draft": "3 + 4 = 8. The answer is 8.", "check": "numeric", "reference": "7"})";
  EXPECT_TRUE(accepts("edits", kReference));
  EXPECT_TRUE(right("edits", kReference, "4 = 8 => 4 = 7\nis 8 => is 7"));
  EXPECT_TRUE(right("edits", kReference, "answer is 8 => answer is 7"));
  EXPECT_FALSE(right("edits", kReference, "OK"));
  EXPECT_FALSE(right("edits", kReference, "8 => 7"));
  EXPECT_FALSE(right("edits", kReference, "The answer is 7."));
  EXPECT_FALSE(accepts("edits", R"({"draft": "a", "check": "exact"})"));
  EXPECT_FALSE(accepts("edits", R"({"draft": "a", "check": "edits", "reference": "{}"})"));
  EXPECT_FALSE(accepts("edits", "[1]"));
}

}  // namespace
}  // namespace lichen::eval
