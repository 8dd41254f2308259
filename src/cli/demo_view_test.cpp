#include "cli/demo_view.h"

#include <gtest/gtest.h>

#include "cli/command.h"

namespace lichen::cli {
namespace {

eval::Row row(std::string plan, double accuracy, double large, std::optional<double> p50) {
  return {.plan = std::move(plan),
          .n = 40,
          .accuracy = accuracy,
          .large_request_share = large,
          .large_token_share = large / 2,
          .p50_ms = p50,
          .p95_ms = p50 ? std::optional(*p50 * 4) : std::nullopt,
          .tokens_per_s = 1234.4,
          .failures = p50 ? 0 : 40};
}

const std::set<std::string> kModels = {"small", "large"};
const std::set<std::string> kLarge = {"large"};

TEST(DemoView, Table) {
  const eval::Report report{.suite = "demo",
                            .rows = {row("cascade", 0.975, 0.25, 20), row("dead", 0, 0, {})}};
  EXPECT_EQ(
      report_table(report, Terminal{}),
      "plan      right  requests by large  tokens by large    p50    p95  tokens/s  failed\n"
      "cascade  97.5 %             25.0 %           12.5 %  20 ms  80 ms     1,234       0\n"
      "dead      0.0 %              0.0 %            0.0 %      -      -     1,234      40\n");
}

TEST(DemoView, WordsCompareTheBestMixWithEachAlone) {
  const eval::Report report{.suite = "demo",
                            .rows = {row("small", 0.8, 0, 5), row("large", 0.975, 1, 40),
                                     row("route", 0.9, 0.5, 20), row("cascade", 0.95, 0.25, 10)}};
  EXPECT_EQ(report_in_words(report, kModels, kLarge),
            "cascade is right on 95.0 %, 2.5 points below large alone, 15.0 points above small "
            "alone; 25.0 % of its requests needed the large model; its median answer takes 0.25 "
            "times large's.");
}

TEST(DemoView, TiesGoToTheFaster) {
  const eval::Report report{.suite = "demo",
                            .rows = {row("large", 0.95, 1, 40), row("slow", 0.95, 1, 30),
                                     row("fast", 0.95, 0.5, 20), row("dead", 0.95, 0, {})}};
  EXPECT_EQ(report_in_words(report, kModels, kLarge),
            "fast is right on 95.0 %, as right as large alone; 50.0 % of its requests needed the "
            "large model; its median answer takes 0.50 times large's.");
}

TEST(DemoView, WordsWithoutAMix) {
  const eval::Report both{.suite = "demo",
                          .rows = {row("small", 0.8, 0, 5), row("large", 0.9, 1, 40)}};
  EXPECT_EQ(report_in_words(both, kModels, kLarge),
            "large alone is 10.0 points above small alone.");
  const eval::Report one{.suite = "demo", .rows = {row("small", 0.8, 0, 5)}};
  EXPECT_EQ(report_in_words(one, kModels, kLarge), "");
}

TEST(DemoView, RequestsThatFailedAreAFailure) {
  eval::Report report{.suite = "s", .rows = {{.plan = "small", .n = 5}, {.plan = "cloud", .n = 5}}};
  EXPECT_FALSE(failure_of(report));
  report.rows[1].failures = 2;
  const auto failed = failure_of(report);
  ASSERT_TRUE(failed);
  EXPECT_EQ(exit_status(*failed), kFailed);
  EXPECT_TRUE(failed->detail.ends_with(": 2 of 5 by `cloud`")) << failed->detail;
}

}  // namespace
}  // namespace lichen::cli
