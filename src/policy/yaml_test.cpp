#include "policy/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lichen::policy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string problem(const std::string& yaml) {
  const Result<YamlNode> node = parse_yaml(yaml, "f.yaml");
  if (node) return "no error";
  EXPECT_EQ(node.error().code, Errc::bad_config);
  return node.error().detail;
}

TEST(Yaml, KnowsWhereThingsStand) {
  const Result<YamlNode> root = parse_yaml("a:\n  b: [x, \"y\"]\nc: ~\n", "f.yaml");
  ASSERT_TRUE(root) << root.error().detail;
  const YamlNode* b = root->find("a")->find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->key_line, 2);
  EXPECT_EQ(b->key_column, 3);
  ASSERT_EQ(b->items.size(), 2u);
  EXPECT_EQ(b->items[0].text, "x");
  EXPECT_FALSE(b->items[0].quoted);
  EXPECT_EQ(b->items[1].line, 2);
  EXPECT_EQ(b->items[1].column, 10);
  EXPECT_TRUE(b->items[1].quoted);
  EXPECT_TRUE(root->find("c")->is(YamlNode::Kind::null));
  EXPECT_EQ(root->find("d"), nullptr);
}

TEST(Yaml, NothingIsANullNode) {
  for (const char* yaml : {"", "\n", "# only a comment\n", "---\n"}) {
    const Result<YamlNode> root = parse_yaml(yaml, "f.yaml");
    ASSERT_TRUE(root) << root.error().detail;
    EXPECT_TRUE(root->is(YamlNode::Kind::null));
  }
}

TEST(Yaml, SaysWhereSyntaxIsWrong) {
  EXPECT_THAT(problem("a: 1\nb: [1, 2\nc: 3\n"), StartsWith("f.yaml:3:"));
  EXPECT_THAT(problem("a: 1\n\tb: 2\n"), StartsWith("f.yaml:2:"));
  EXPECT_THAT(problem("a: *nowhere\n"), StartsWith("f.yaml:1:"));
}

TEST(Yaml, AnOpenQuoteDoesNotSwallowTheRest) {
  EXPECT_EQ(problem("a: \"open\nb: 2\n"), "f.yaml:1:4: this quote is never closed");
  EXPECT_EQ(problem("a: 1\nb: 'open\nc: 2"), "f.yaml:2:4: this quote is never closed");
  EXPECT_NE(problem("a: [\"open\n"), "no error");
  for (const char* closed : {"a: |\n  text\n", "a: |\n", "a: >-\n  text", "a: \"x\"", "a: 'x'\n"}) {
    EXPECT_EQ(problem(closed), "no error") << closed;
  }
}

TEST(Yaml, RefusesWhatAConfigurationIsNot) {
  EXPECT_EQ(problem("a: 1\nb: 2\na: 3\n"),
            "f.yaml:3:1: `a` is already set in line 1: keep one of the two");
  EXPECT_EQ(problem("[1]: 2\n"), "f.yaml:1:1: a key must be a word, not a map or a list");
  EXPECT_THAT(problem("a: !!python/object x\n"), StartsWith("f.yaml:1:4: tags"));
  EXPECT_THAT(problem("a: !mine {b: c}\n"), StartsWith("f.yaml:1:4: tags"));
  EXPECT_THAT(problem("a: 1\n---\nb: 2\n"), HasSubstr("a second document"));
  EXPECT_THAT(problem("a: \xFF\n"), HasSubstr("not UTF-8"));
}

TEST(Yaml, AliasesStandForWhatTheyName) {
  const Result<YamlNode> root = parse_yaml("a: &x {k: v}\nb: *x\n", "f.yaml");
  ASSERT_TRUE(root) << root.error().detail;
  EXPECT_EQ(root->find("b")->find("k")->text, "v");
  EXPECT_EQ(root->find("b")->key_line, 2);
}

TEST(Yaml, AnAliasCannotContainItself) {
  EXPECT_THAT(problem("a: &x [*x]\n"), HasSubstr("within its own anchor"));
}

TEST(Yaml, ABillionLaughsAreTooMany) {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string name = "a" + std::to_string(i);
    yaml += name + ": &" + name + " [";
    for (int k = 0; k < 10; ++k) yaml += "*a" + std::to_string(i - 1) + (k < 9 ? ", " : "]\n");
  }
  EXPECT_THAT(problem(yaml), HasSubstr("more than 50000 values"));
}

TEST(Yaml, DeepNestingIsAnError) {
  for (const std::size_t depth : {65u, 100'000u}) {
    EXPECT_NE(problem(std::string(depth, '[')), "no error");
    std::string maps;
    for (std::size_t i = 0; i < depth; ++i) maps += "{a: ";
    EXPECT_NE(problem(maps), "no error");
    EXPECT_NE(problem(std::string(depth, '[') + std::string(depth, ']')), "no error");
  }
  EXPECT_EQ(problem(std::string(64, '[') + std::string(64, ']')), "no error");
  std::string chain = "- &a0 [x]\n";  // each alias one level deeper
  for (int i = 1; i < 70; ++i) {
    chain += "- &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_THAT(problem(chain), HasSubstr("nested deeper than 64 levels"));
}

TEST(Yaml, SizeIsBounded) {
  EXPECT_EQ(problem("#" + std::string(kMaxYamlBytes - 1, 'x')), "no error");
  EXPECT_THAT(problem("#" + std::string(kMaxYamlBytes, 'x')), HasSubstr("too many"));
}

TEST(Yaml, DamagedDocumentsNeverCrash) {
  const std::string good =
      "models:\n  small: {gguf: a.gguf, price: {input: 1}}\n  b: &x [1, \"two\", 'three', *y]\n"
      "plans: &y\n  default: |\n    text\n  other: >-\n    more\n? [a]\n: b\n--- !tag\n%YAML 1.2\n";
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    problem(good.substr(0, cut));
    for (const char byte : {'\0', '{', ']', ':', '&', '*', '!', '\n', '"', '\t'}) {
      std::string damaged = good;
      damaged[cut] = byte;
      problem(damaged);
    }
  }
}

}  // namespace
}  // namespace lichen::policy
