#include "model/grammar.h"

#include <gtest/gtest.h>

#include <string>

namespace lichen::model {
namespace {

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string error_of(const std::string& text) {
  const Result<Grammar> grammar = parse_gbnf(text);
  return grammar ? "no error" : grammar.error().detail;
}

TEST(Gbnf, ReadsEveryForm) {
  const Result<Grammar> grammar = parse_gbnf(
      "# a comment\n"
      "root ::= greeting (\", \" name){0,2} |\n"
      "         \"\\x41\\u00e9\\U0001F600\\n\\\"\" # another\n"
      "greeting ::= [^a-z\\]\\-]* . [äöü-] | ()\r\n"
      "\n"
      "name ::= ( \"a\"\n | \"b\" )+ [0-9]{2} \"x\"{1,} \"y\"? ");
  ASSERT_TRUE(grammar.has_value()) << grammar.error().detail;
  EXPECT_EQ(grammar->starts.size(), 3u);
}

TEST(Gbnf, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(error_of(""), "the grammar has no rule named `root`, where an answer would begin");
  EXPECT_EQ(error_of("root ::= \"a\"\nroot ::= \"b\""),
            "the grammar, line 2, column 1: the rule `root` has been defined before");
  EXPECT_EQ(error_of("root ::= \"a\"\n  other"),
            "the grammar, line 2, column 8: `::=` was expected");
  EXPECT_EQ(error_of("root ::= a missing\na ::= missing"),
            "the grammar, line 1, column 12: the rule `missing` is not defined");
  EXPECT_EQ(error_of("root ::= (\"a\""), "the grammar, line 1, column 10: this `(` is not closed");
  EXPECT_EQ(error_of("root ::= \"a\")"), "the grammar, line 1, column 13: this `)` closes nothing");
  EXPECT_EQ(error_of("root ::= \"a"), "the grammar, line 1, column 10: this literal is not closed");
  EXPECT_EQ(error_of("root ::= [a"), "the grammar, line 1, column 10: this class is not closed");
  EXPECT_EQ(error_of("root ::= [z-a]"),
            "the grammar, line 1, column 11: this range runs backwards");
  EXPECT_EQ(error_of("root ::= *"),
            "the grammar, line 1, column 10: there is nothing here to repeat");
  EXPECT_EQ(error_of("root ::= \"a\"{3,2}"),
            "the grammar, line 1, column 13: this repetition ends below its beginning");
  for (const char* text :
       {"root ::= \"a\"{", "root ::= \"a\"{1", "root ::= \"a\"{1,", "root ::= \"a\"{-1}",
        "root ::= \"a\"{99999999999}", "root ::= \"\\", "root ::= \"\\q\"", "root ::= \"\\x4",
        "root ::= \"\\U00110000\"", "root ::= [\\", "root ::= [a-", "root ::= [^", "root",
        "::=", "root ::= $", "root ::= (", "root ::= ( |", "root ::= \"a\" | \"b\" )", "\xff"}) {
    const Result<Grammar> grammar = parse_gbnf(text);
    ASSERT_FALSE(grammar.has_value()) << text;
    EXPECT_EQ(grammar.error().code, Errc::bad_request) << text;
  }
  EXPECT_EQ(parse_gbnf("root ::= <[12]>").error().code, Errc::unsupported);
}

TEST(Gbnf, KeepsItsBounds) {
  EXPECT_EQ(error_of("root ::= " + repeated("(", 200'000) + "\"a\"" + repeated(")", 200'000)),
            "the grammar, line 1, column 111: groups nest more than 100 deep");
  EXPECT_EQ(error_of("root ::= " + repeated("(", 99) + "\"a\"" + repeated(")", 99)), "no error");
  // Parentheses in literals, classes and comments are no groups.
  EXPECT_EQ(error_of("root ::= \"" + repeated("(", 300) + "\" [" + repeated("(", 300) + "] # " +
                     repeated("(", 300)),
            "no error");
  EXPECT_EQ(error_of("root ::= \"a\" # " + repeated("x", 600'000)),
            "the grammar has 600015 bytes; at most 524288 are allowed");
  EXPECT_NE(error_of("root ::= " + repeated("a ", 1) + "\na ::= \"" + repeated("x", 150'000) + "\"")
                .find("200000 are allowed"),
            std::string::npos);
  EXPECT_NE(error_of("root ::= (((\"a\"{1000}){1000}){1000}){1000}").find("would need"),
            std::string::npos);
  std::string rules = "root ::= r0\n";
  for (int i = 0; i < 10'000; ++i) rules += "r" + std::to_string(i) + " ::= \"a\"\n";
  EXPECT_NE(error_of(rules).find("more than 10000 rules"), std::string::npos);
}

}  // namespace
}  // namespace lichen::model
