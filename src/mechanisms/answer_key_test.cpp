#include "mechanisms/answer_key.h"

#include <gtest/gtest.h>

#include <string>

namespace lichen::mechanisms {
namespace {

std::string key(const std::string& text) { return answer_key({.text = text}); }

TEST(AnswerKey, IsWhatIsGivenAsTheAnswer) {
  EXPECT_EQ(key("2 + 3 = 5. The answer is 5."), "5");
  EXPECT_EQ(key("The answer is:  Blue  Sky"), "blue sky");
  EXPECT_EQ(key("Paris"), key(" paris. "));
  EXPECT_NE(key("Paris"), key("Paris, France"));
  EXPECT_EQ(key(" \n"), "");
}

TEST(AnswerKey, IsTheResultOfASum) {
  EXPECT_EQ(key("558 + 547 = 1105"), "1105");
  EXPECT_EQ(key("30 * 7 = 210. 4 * 7 = 28. 210 + 28 = 238."), "238");
  EXPECT_EQ(key("x = 5"), "x = 5") << "and not what y = 5 comes to";
  EXPECT_EQ(key("1 + 1 ="), "1 + 1 =");
}

TEST(AnswerKey, ForgetsHowNumbersAreWritten) {
  EXPECT_EQ(key("1,234,567"), "1234567");
  EXPECT_EQ(key("12.50 and 3.00"), "12.5 and 3");
  EXPECT_EQ(key("1,2,3"), "1,2,3");
  EXPECT_EQ(key("10, 200, 300"), "10, 200, 300");
  EXPECT_EQ(key("1234,567"), "1234,567") << "a group has three digits";
  EXPECT_EQ(key("version 1.10.0"), "version 1.10.0");
  EXPECT_EQ(key("0.10"), "0.1");
  EXPECT_EQ(key("2024-03-05"), "2024-03-05");
}

TEST(AnswerKey, ComparesJsonAsAValue) {
  EXPECT_EQ(key(R"({"b": 1.0, "a": [2, {"d": 1, "c": 2}]})"),
            key("```json\n{\"a\":[2,{\"c\":2,\"d\":1}],\"b\":1}\n```"));
  EXPECT_NE(key("[1, 2]"), key("[2, 1]"));
  EXPECT_NE(key(R"({"a": "X"})"), key(R"({"a": "x"})")) << "case is part of a value";
  EXPECT_EQ(key("{not JSON"), "{not json");
}

TEST(AnswerKey, ComparesCallsByNameAndArguments) {
  const auto call = [](std::string id, std::string arguments) {
    return Answer{
        .text = {},
        .tool_calls = {{{"id", std::move(id)},
                        {"function", {{"name", "find"}, {"arguments", std::move(arguments)}}}}}};
  };
  EXPECT_EQ(answer_key(call("1", R"({"a": 1, "b": 2})")),
            answer_key(call("2", R"({"b":2,"a":1})")));
  EXPECT_NE(answer_key(call("1", R"({"a": 1})")), answer_key(call("1", R"({"a": 2})")));
  EXPECT_NE(answer_key(call("1", "no JSON")), answer_key(call("1", "none")));
}

}  // namespace
}  // namespace lichen::mechanisms
