#include "eval/route_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace lichen::eval {
namespace {

using testing::HasSubstr;

std::string line(const std::string& prompt, const std::string& subject = "s") {
  return R"({"prompt": ")" + prompt + R"(", "small_correct": true, "large_correct": false, )" +
         R"("subject": ")" + subject + "\"}\n";
}

std::string error_of(const std::string& jsonl) {
  const auto data = parse_route_data(jsonl, "f.jsonl");
  EXPECT_FALSE(data) << jsonl;
  if (data) return "";
  EXPECT_EQ(data.error().code, Errc::bad_request);
  return data.error().detail;
}

TEST(RouteData, ReadsLines) {
  const auto data = parse_route_data(
      line("a", "x") + "\n" +
          R"({"prompt": "b", "small_correct": false, "large_correct": true, "other": [1]})",
      "f.jsonl");
  ASSERT_TRUE(data) << data.error().detail;
  ASSERT_EQ(data->examples.size(), 2u);
  EXPECT_EQ(data->examples[0].prompt, "a");
  EXPECT_TRUE(data->examples[0].small_right);
  EXPECT_TRUE(data->examples[1].large_right);
  EXPECT_THAT(data->subjects, testing::ElementsAre("x", ""));
  EXPECT_TRUE(data->examples[0].features.empty());
  EXPECT_EQ(data->hash.size(), 64u);
}

TEST(RouteData, NamesTheBadLine) {
  EXPECT_THAT(error_of(line("a") + "\nnot json\n"), HasSubstr("f.jsonl:3: not JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(error_of(R"({"small_correct": true})"), HasSubstr("\"prompt\" must be a string"));
  EXPECT_THAT(error_of(line(" \\n")), HasSubstr("f.jsonl:1: \"prompt\" is empty"));
  EXPECT_THAT(error_of(R"({"prompt": "a", "small_correct": 1, "large_correct": true})"),
              HasSubstr("\"small_correct\" must be true or false"));
  EXPECT_THAT(error_of(R"({"prompt": "a", "small_correct": true})"),
              HasSubstr("\"large_correct\" is missing"));
  EXPECT_THAT(error_of(""), HasSubstr("holds no prompt"));
}

TEST(RouteData, FeaturesAreFiniteAndAsMany) {
  const auto with = [](const std::string& features) {
    return R"({"prompt": "a", "small_correct": true, "large_correct": true, "features": )" +
           features + "}\n";
  };
  const auto data = parse_route_data(with("[1, 2.5]") + with("[-3, 0]"), "f.jsonl");
  ASSERT_TRUE(data) << data.error().detail;
  EXPECT_EQ(data->examples.at(1).features.at(0), -3);
  EXPECT_THAT(error_of(with("[NaN]")), HasSubstr("f.jsonl:1: not JSON"));
  EXPECT_THAT(error_of(with("[1e999]")), HasSubstr("f.jsonl:1: "));
  EXPECT_THAT(error_of(with("[null]")), HasSubstr("finite numbers"));
  EXPECT_THAT(error_of(with("[1]") + with("[1, 2]")), HasSubstr("f.jsonl:2: \"features\" must be"));
  EXPECT_THAT(error_of(with("[1]") + line("b")), HasSubstr("f.jsonl:2: \"features\" must be"));
  EXPECT_THAT(error_of(line("b") + with("[1]")), HasSubstr("f.jsonl:2: \"features\" must be"));
}

TEST(RouteData, OriginsAreTheSameOnEveryLine) {
  const auto with = [](const std::string& hash) {
    return R"({"prompt": "a", "small_correct": true, "large_correct": true, "small_hash": )" +
           hash + "}\n";
  };
  EXPECT_EQ(parse_route_data(with(R"("x")") + with(R"("x")"), "f.jsonl")->small_hash, "x");
  EXPECT_THAT(error_of(with(R"("x")") + with(R"("y")")), HasSubstr("f.jsonl:2: \"small_hash\""));
  EXPECT_THAT(error_of(with(R"("x")") + line("b")), HasSubstr("the same as on the first line"));
  EXPECT_THAT(error_of(with("7")), HasSubstr("\"small_hash\" must be a string"));
}

TEST(RouteData, WhatIsWrittenIsReadAgain) {
  const RouteData data{
      .examples = {{.prompt = "a \"b\"\n", .large_right = true, .features = {0.1F, -3e-9F}},
                   {.prompt = "c", .small_right = true, .features = {1, 2}}},
      .subjects = {"s", ""},
      .small_hash = "x",
      .features_schema = "prefill-1"};
  const auto read = parse_route_data(to_jsonl(data), "f.jsonl");
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->examples[0].prompt, data.examples[0].prompt);
  EXPECT_EQ(read->examples[0].features, data.examples[0].features);
  EXPECT_TRUE(read->examples[1].small_right);
  EXPECT_EQ(read->subjects, data.subjects);
  EXPECT_EQ(read->small_hash, "x");
  EXPECT_EQ(read->features_schema, "prefill-1");
}

TEST(RouteData, PrefillWantsToKnowWhoseFeaturesTheyAre) {
  EXPECT_TRUE(check_prefill_origin({.small_hash = "x", .features_schema = "prefill-1"}));
  EXPECT_FALSE(check_prefill_origin({.features_schema = "prefill-1"}));
  EXPECT_FALSE(check_prefill_origin({.small_hash = "x", .features_schema = "prefill-0"}));
}

TEST(RouteData, ARouterIsJudgedOnUnseenDataOfItsModels) {
  mechanisms::RouterFile router;
  router.origin = {.data_hash = "d", .small_hash = "s", .large_hash = "l"};
  EXPECT_TRUE(check_unseen({.small_hash = "s", .large_hash = "l", .hash = "e"}, router));
  EXPECT_TRUE(check_unseen({.hash = "e"}, router)) << "not told";
  EXPECT_FALSE(check_unseen({.small_hash = "s", .large_hash = "l", .hash = "d"}, router));
  EXPECT_THAT(check_unseen({.small_hash = "t", .hash = "e"}, router).error().detail,
              HasSubstr("another small model"));
  EXPECT_FALSE(check_unseen({.large_hash = "m", .hash = "e"}, router));
}

TEST(RouteData, EqualPromptsStayInOnePart) {
  std::string jsonl;
  for (int i = 0; i < 50; ++i) jsonl += line("Q " + std::to_string(i), std::to_string(i % 4));
  for (int i = 0; i < 50; ++i) jsonl += line("q   " + std::to_string(i), std::to_string(i % 3));
  const auto data = parse_route_data(jsonl, "f.jsonl");
  ASSERT_TRUE(data);
  EXPECT_EQ(data->duplicates, 50u);
  const auto by_subject = folds_by_subject(*data, 2, 1);
  ASSERT_TRUE(by_subject);
  for (const auto& parts : {folds_by_prompt(*data, 5, 1), *by_subject}) {
    for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(parts[i], parts[i + 50]);
    EXPECT_GT(std::set<int>(parts.begin(), parts.end()).size(), 1u);
  }
  EXPECT_NE(folds_by_prompt(*data, 5, 1), folds_by_prompt(*data, 5, 2));
  EXPECT_FALSE(folds_by_subject(*data, 5, 1)) << "only four subjects";
}

}  // namespace
}  // namespace lichen::eval
