#include "eval/suite.h"

#include <gtest/gtest.h>

namespace lichen::eval {
namespace {

std::string error_of(std::string_view jsonl) {
  const auto suite = parse_suite(jsonl, "dir/small.jsonl");
  return suite ? "" : suite.error().detail;
}

TEST(Suite, ReadsTasks) {
  const auto suite = parse_suite(
      "{\"id\": \"a\", \"family\": \"add\", \"level\": 2, \"prompt\": \"2 + 3?\", "
      "\"reference\": \"5\", \"check\": \"numeric\"}\r\n\n"
      "{\"prompt\": \"q\", \"reference\": \"\", \"check\": \"exact\"}",
      "dir/small.jsonl");
  ASSERT_TRUE(suite) << suite.error().detail;
  EXPECT_EQ(suite->name, "small");
  ASSERT_EQ(suite->tasks.size(), 2u);
  EXPECT_EQ(suite->tasks[0].id, "a");
  EXPECT_EQ(suite->tasks[0].family, "add");
  EXPECT_EQ(suite->tasks[0].level, 2);
  EXPECT_EQ(suite->tasks[0].prompt, "2 + 3?");
  EXPECT_EQ(suite->tasks[0].reference, "5");
  EXPECT_EQ(suite->tasks[0].check->name, "numeric");
  EXPECT_EQ(suite->tasks[1].id, "3");
}

TEST(Suite, ErrorsNameTheLine) {
  const std::string good = "{\"prompt\": \"q\", \"reference\": \"r\", \"check\": \"exact\"}\n";
  EXPECT_EQ(error_of(good + "\n" + R"({"reference": "r", "check": "exact"})"),
            "dir/small.jsonl:3: \"prompt\" is missing");
  EXPECT_EQ(error_of(R"({"prompt": 1, "reference": "r", "check": "exact"})"),
            "dir/small.jsonl:1: \"prompt\" must be a string");
  EXPECT_EQ(error_of(R"({"prompt": "", "reference": "r", "check": "exact"})"),
            "dir/small.jsonl:1: \"prompt\" is empty");
  EXPECT_EQ(
      error_of(R"({"prompt": "q", "reference": "r", "check": "close"})"),
      "dir/small.jsonl:1: no check \"close\"; there are exact, numeric, contains, regex, json, "
      "final, list, set, lines, choice, date, plan, judge, edits");
  EXPECT_EQ(error_of(R"({"prompt": "q", "reference": "r", "check": "numeric"})"),
            "dir/small.jsonl:1: the reference of a numeric check holds no number");
  EXPECT_EQ(error_of(R"({"prompt": "q", "reference": "r", "check": "exact", "level": 1e99})"),
            "dir/small.jsonl:1: \"level\" must be a whole number from 0 to 1000");
  EXPECT_EQ(error_of(R"({"prompt": "q", "reference": "r", "check": "exact", "chek": 1})"),
            "dir/small.jsonl:1: unknown key \"chek\"; known are id, family, level, prompt, "
            "document, reference, check, answer");
  EXPECT_EQ(error_of(R"({"prompt": "q", "reference": "r", "check": "exact", "answer": 1})"),
            "dir/small.jsonl:1: \"answer\" must be a string");
  EXPECT_EQ(error_of("[1]"), "dir/small.jsonl:1: a task must be a JSON object");
  EXPECT_TRUE(error_of("{\"prompt\"").starts_with("dir/small.jsonl:1: not JSON"));
  EXPECT_EQ(error_of("\n\n"), "dir/small.jsonl: holds no task");
  const std::string twice =
      "{\"id\": \"a\", \"prompt\": \"q\", \"reference\": \"r\", \"check\": \"exact\"}\n";
  EXPECT_EQ(error_of(twice + twice), "dir/small.jsonl:2: the id \"a\" stands above already");
}

TEST(Suite, ATaskMayHaveADocument) {
  const auto suite = parse_suite(
      R"({"prompt": "q", "document": "a\fb", "reference": "r", "check": "exact"})", "s.jsonl");
  ASSERT_TRUE(suite) << suite.error().detail;
  EXPECT_EQ(suite->tasks[0].document, "a\fb");
}

TEST(Suite, MissingFile) {
  const auto suite = load_suite("/nonexistent/suite.jsonl");
  ASSERT_FALSE(suite);
  EXPECT_EQ(suite.error().code, Errc::not_found);
  EXPECT_FALSE(load_suite("/"));
}

TEST(Suite, OnlyAJudgeNeedsNoReference) {
  const auto suite = parse_suite(R"({"prompt": "Write a haiku.", "check": "judge"})", "s.jsonl");
  ASSERT_TRUE(suite) << suite.error().detail;
  EXPECT_EQ(suite->tasks[0].check->name, "judge");
  EXPECT_EQ(suite->tasks[0].check->right, nullptr);
  EXPECT_EQ(error_of(R"({"prompt": "q", "check": "exact"})"),
            "dir/small.jsonl:1: \"reference\" is missing");
  EXPECT_EQ(error_of(R"({"check": "judge"})"), "dir/small.jsonl:1: \"prompt\" is missing");
  EXPECT_EQ(error_of(R"({"prompt": "q", "check": "judge", "reference": 5})"),
            "dir/small.jsonl:1: \"reference\" must be a string");
}

TEST(Suite, SelectsByFamilyLevelAndNumber) {
  Suite suite{.name = "s", .tasks = {}};
  for (const auto* family : {"a", "b"}) {
    for (int level = 1; level <= 3; ++level) {
      suite.tasks.push_back({.family = family, .level = level, .prompt = "q", .reference = "r"});
    }
  }
  EXPECT_EQ(selected(suite, {}).tasks.size(), 6u);
  EXPECT_EQ(selected(suite, {.families = {"b"}}).tasks.size(), 3u);
  EXPECT_EQ(selected(suite, {.families = {"b"}, .levels = {2, 3}}).tasks.size(), 2u);
  EXPECT_EQ(selected(suite, {.levels = {2}, .limit = 1}).tasks.at(0).family, "a");
  EXPECT_EQ(selected(suite, {.limit = 9}).tasks.size(), 6u);
  EXPECT_TRUE(selected(suite, {.families = {"c"}}).tasks.empty());
}

}  // namespace
}  // namespace lichen::eval
