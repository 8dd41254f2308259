#include "model/grammar_matcher.h"

#include <gtest/gtest.h>

#include <string>

#include "model/scripted_backend.h"
#include "model/token_order.h"

namespace lichen::model {
namespace {

constexpr std::uint64_t kSteps = 1'000'000;

GrammarMatcher matcher(const std::string& text, std::uint64_t steps = kSteps) {
  Result<Grammar> grammar = parse_gbnf(text);
  EXPECT_TRUE(grammar.has_value()) << grammar.error().detail;
  return GrammarMatcher(std::make_shared<const Grammar>(*std::move(grammar)), steps);
}

/// Each byte may take `steps`.
bool push(GrammarMatcher& matcher, std::string_view text, std::uint64_t steps = kSteps) {
  for (const char c : text) {
    matcher.allow(steps);
    if (!matcher.push(static_cast<unsigned char>(c)) || matcher.exhausted()) return false;
  }
  return true;
}

/// "no": some byte is refused; "more": not complete; "yes".
std::string verdict(const std::string& grammar, std::string_view text) {
  GrammarMatcher at = matcher(grammar);
  if (!push(at, text)) return "no";
  return at.may_end() ? "yes" : "more";
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(GrammarMatcher, FollowsEveryForm) {
  EXPECT_EQ(verdict("root ::= \"yes\" | \"no\"", "yes"), "yes");
  EXPECT_EQ(verdict("root ::= \"yes\" | \"no\"", "n"), "more");
  EXPECT_EQ(verdict("root ::= \"yes\" | \"no\"", "x"), "no");
  EXPECT_EQ(verdict("root ::= \"\"", ""), "yes");
  EXPECT_EQ(verdict("root ::= [^a-c]+", "xyz"), "yes");
  EXPECT_EQ(verdict("root ::= [^a-c]+", "xb"), "no");
  EXPECT_EQ(verdict("root ::= \"a\"{2}", "a"), "more");
  EXPECT_EQ(verdict("root ::= \"a\"{2}", "aa"), "yes");
  EXPECT_EQ(verdict("root ::= \"a\"{2}", "aaa"), "no");
  EXPECT_EQ(verdict("root ::= \"a\"{2,}", "aaaaa"), "yes");
  EXPECT_EQ(verdict("root ::= \"a\"{2,}", "a"), "more");
  EXPECT_EQ(verdict("root ::= \"a\"{1,3}", "aaa"), "yes");
  EXPECT_EQ(verdict("root ::= \"a\"{1,3}", "aaaa"), "no");
  EXPECT_EQ(verdict("root ::= \"a\"{0} \"b\"", "b"), "yes");
  EXPECT_EQ(verdict("root ::= \"a\"{0} \"b\"", "a"), "no");
  EXPECT_EQ(verdict("root ::= (\"a\" | \"b\" \"c\"?){2} \"d\"*", "bcadd"), "yes");
  EXPECT_EQ(verdict("root ::= ((\"a\"?)*)* \"b\"", "aaab"), "yes");
}

TEST(GrammarMatcher, CharactersMayBeCutAnywhere) {
  const std::string grammar = "root ::= [ä-ö]+ \"€\" [^\\U0001F600]";
  EXPECT_EQ(verdict(grammar, "äö€x"), "yes");
  EXPECT_EQ(verdict(grammar, "äü"), "no");
  EXPECT_EQ(verdict(grammar, "ä€😀"), "no");
  GrammarMatcher at = matcher(grammar);
  EXPECT_TRUE(push(at, "\xC3") && at.viable());
  EXPECT_FALSE(at.may_end());
  at.pop(0);
  EXPECT_TRUE(push(at, "\xC4"));  // of another alphabet
  EXPECT_FALSE(at.viable());
  at.pop(0);
  EXPECT_TRUE(push(at, "ä\xE2\x82") && at.viable());
  EXPECT_TRUE(push(at, "\xAC"));
  for (const char* invalid :
       {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5", "\xC3x"}) {
    EXPECT_EQ(verdict("root ::= .*", invalid), "no");
  }
}

TEST(GrammarMatcher, RecursionOfEachKind) {
  const std::string left = "root ::= root \"+\" [0-9] | [0-9]";
  EXPECT_EQ(verdict(left, "1+2+3"), "yes");
  EXPECT_EQ(verdict(left, "1++"), "no");
  EXPECT_EQ(verdict("root ::= [a-z] root | \"\"", "hello"), "yes");
  const std::string middle = "root ::= \"(\" root \")\" | \"x\"";
  EXPECT_EQ(verdict(middle, "((x))"), "yes");
  EXPECT_EQ(verdict(middle, "((x)"), "more");
  EXPECT_EQ(verdict(middle, "(x))"), "no");
  EXPECT_EQ(verdict("root ::= a b\na ::= \"\" | a a | \"x\"\nb ::= a | \"y\" b?", "xxyyx"), "yes");
  EXPECT_EQ(verdict("root ::= a\na ::= b | \"x\"\nb ::= a | \"y\"", "y"), "yes");
  GrammarMatcher nothing = matcher("root ::= a\na ::= b\nb ::= a");
  EXPECT_FALSE(nothing.may_go_on() || nothing.may_end());
}

TEST(GrammarMatcher, ManyWaysToReadATextCostLittle) {
  // One stack for each way would need 3^400 of them, 2^300, or as many as trees over the text.
  GrammarMatcher optional = matcher("root ::= (\"a\"? \"b\"? [0-9]?){400}");
  EXPECT_TRUE(push(optional, repeated("ab1", 300), 20'000));
  GrammarMatcher repeats = matcher("root ::= (\"a\"? \"b\"?){0,1000}");
  EXPECT_TRUE(push(repeats, repeated("a", 900), 40'000));
  GrammarMatcher twice = matcher("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"d\"");
  EXPECT_TRUE(push(twice, repeated("a", 300) + "d" + repeated("bc", 150), 100));
  EXPECT_TRUE(twice.may_end());
  GrammarMatcher trees = matcher("root ::= root root | \"a\"");
  EXPECT_TRUE(push(trees, repeated("a", 60), 100'000) && trees.may_end());
}

TEST(GrammarMatcher, ALongListInRecursionStaysFlat) {
  GrammarMatcher at =
      matcher("root ::= item root | \"\"\nitem ::= [a-z] tail\ntail ::= \",\" | \";\"");
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_TRUE(push(at, "a,", 50)) << i;
    at.keep();
  }
  EXPECT_TRUE(at.may_end());
}

TEST(GrammarMatcher, StopsWhereMoreStepsWouldBeNeededThanAllowed) {
  EXPECT_TRUE(matcher("root ::= (\"a\"?){0,10000}", 1'000).exhausted());
  GrammarMatcher at = matcher("root ::= root root | \"a\"", 100);
  EXPECT_FALSE(at.exhausted());
  EXPECT_FALSE(push(at, repeated("a", 100), 100));
  EXPECT_TRUE(at.exhausted());
}

TEST(GrammarMatcher, WhatWasTriedLeavesNoTrace) {
  GrammarMatcher at = matcher("root ::= a*\na ::= \"x\" b | \"y\"\nb ::= [0-9]+ | a");
  EXPECT_TRUE(push(at, "xx1"));
  at.keep();
  const std::size_t size = at.size();
  EXPECT_TRUE(push(at, "2yxy"));
  at.pop(2);
  EXPECT_EQ(at.length(), 2u);
  EXPECT_TRUE(push(at, "x7"));
  EXPECT_FALSE(push(at, "z"));
  at.pop(0);
  EXPECT_EQ(at.size(), size);
  EXPECT_TRUE(push(at, "3x") && !at.may_end());
}

TEST(TokenOrder, TheWholeRowAgreesWithEachToken) {
  const ByteVocabulary bytes;
  const TokenOrder order(bytes);
  for (const char* grammar : {"root ::= \"a\" | [0-9]+ | \"é\"", "root ::= \"\"", "root ::= .",
                              "root ::= \"ab\"* | [^a]"}) {
    GrammarMatcher at = matcher(grammar);
    const std::vector<bool> allowed = order.allowed(at);
    for (Token token = 0; token < bytes.size(); ++token) {
      EXPECT_EQ(allowed[static_cast<std::size_t>(token)], order.allows(at, token)) << token;
    }
  }
  GrammarMatcher end = matcher("root ::= \"\"");
  EXPECT_TRUE(order.allows(end, ByteVocabulary::kEnd));
  GrammarMatcher more = matcher("root ::= \"a\"");
  EXPECT_FALSE(order.allows(more, ByteVocabulary::kEnd));
}

}  // namespace
}  // namespace lichen::model
