#include "eval/report/words.h"

#include <gtest/gtest.h>

namespace lichen::eval {
namespace {

Row row(std::string plan, double accuracy, double large, std::optional<double> p50) {
  Row made{.plan = std::move(plan), .n = 40, .accuracy = accuracy, .large_request_share = large};
  made.p50_ms = p50;
  return made;
}

Report report_of(std::vector<Row> rows) {
  return {.suite = "demo",
          .rows = std::move(rows),
          .baselines = {.large = {"large"}, .small_alone = "small", .large_alone = "large"},
          .models = {"small", "large"}};
}

TEST(Words, CompareTheBestPlanWithEachAlone) {
  const auto report = report_of({row("small", 0.8, 0, 5), row("large", 0.975, 1, 40),
                                 row("route", 0.9, 0.5, 20), row("cascade", 0.95, 0.25, 10)});
  EXPECT_EQ(in_words(report),
            "cascade is right on 95.0 %, 2.5 points below large alone, 15.0 points above small "
            "alone; 25.0 % of its requests needed the large model; its median answer takes 0.25 "
            "times large's.");
  EXPECT_EQ(best_plan(report)->plan, "cascade");
}

TEST(Words, TiesGoToTheFaster) {
  const auto report = report_of({row("large", 0.95, 1, 40), row("slow", 0.95, 1, 30),
                                 row("fast", 0.95, 0.5, 20), row("dead", 0.95, 0, {})});
  EXPECT_EQ(in_words(report),
            "fast is right on 95.0 %, as right as large alone; 50.0 % of its requests needed the "
            "large model; its median answer takes 0.50 times large's.");
}

TEST(Words, WhatTheSuiteCannotTellApartIsJudgedByItsNeedOfLarge) {
  auto fallback = row("fallback", 0.975, 1, 20), cascade = row("cascade", 0.95, 0.25, 30);
  auto route = row("route", 0.9, 0.1, 10);
  fallback.large_token_share = 1;
  fallback.against_large = {0, 0, 0};
  cascade.large_token_share = 0.2;
  cascade.against_large = {-0.025, -0.075, 0};
  route.large_token_share = 0.1;
  route.against_large = {-0.075, -0.15, -0.025};
  EXPECT_EQ(best_plan(report_of({fallback, cascade, route}))->plan, "cascade");
  cascade.against_large->high = -0.001;
  EXPECT_EQ(best_plan(report_of({fallback, cascade, route}))->plan, "fallback");
}

TEST(Words, WithoutAPlan) {
  EXPECT_EQ(in_words(report_of({row("small", 0.8, 0, 5), row("large", 0.9, 1, 40)})),
            "large alone is 10.0 points above small alone.");
  EXPECT_EQ(in_words(report_of({row("small", 0.8, 0, 5)})), "");
  EXPECT_EQ(best_plan(report_of({row("small", 0.8, 0, 5)})), nullptr);
}

}  // namespace
}  // namespace lichen::eval
