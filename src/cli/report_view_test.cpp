#include "cli/report_view.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/command.h"

namespace lichen::cli {
namespace {

eval::Row row(std::string plan, double accuracy, double large, std::optional<double> p50) {
  eval::Row made{.plan = std::move(plan), .n = 40, .accuracy = accuracy};
  made.accuracy_low = accuracy * 0.9;
  made.accuracy_high = accuracy;
  made.large_request_share = large;
  made.large_token_share = large / 2;
  made.p50_ms = made.p50_first_token_ms = p50;
  if (p50) made.p95_ms = *p50 * 4;
  made.tokens_per_s = 1234.4;
  made.failures = p50 ? 0 : 40;
  return made;
}

TEST(ReportView, Table) {
  eval::Report report{.suite = "demo",
                      .rows = {row("cascade", 0.975, 0.25, 20), row("dead", 0, 0, {})}};
  EXPECT_EQ(report_table(report, Terminal{}),
            "plan      right  95 % interval  requests by large  tokens by large    p50    p95  "
            "first token  tokens/s  failed\n"
            "cascade  97.5 %    87.8 - 97.5             25.0 %           12.5 %  20 ms  80 ms  "
            "      20 ms     1,234       0\n"
            "dead      0.0 %      0.0 - 0.0              0.0 %            0.0 %      -      -  "
            "          -     1,234      40\n");
  report.rows[0].usd = 0.5;
  report.rows[0].bytes_sent = 1'000;
  const auto table = report_table(report, Terminal{});
  EXPECT_TRUE(table.contains("USD")) << "a column with something in it is shown";
  EXPECT_TRUE(table.contains("left the device"));
  EXPECT_FALSE(table.contains("joules"));
}

TEST(ReportView, Routers) {
  eval::Report report{.suite = "demo", .rows = {}};
  EXPECT_EQ(routers_table(report, Terminal{}), "");
  eval::RouterCurves router{.plan = "quick", .mechanism = "route"};
  router.recovered = 0.756;
  router.auroc = 0.8124;
  router.curves = {{"quick", {}, eval::CurveFigures{0.7, 0.25, std::nullopt}},
                   {"random", {}, eval::CurveFigures{0.5, 0.5, 0.8}}};
  report.curves = {router, router};
  report.curves[1].recovered = report.curves[1].auroc = std::nullopt;
  report.curves[1].curves[0] = {"slow", {}, eval::CurveFigures{0.6, 0.4, std::nullopt}};
  EXPECT_EQ(routers_table(report, Terminal{}),
            "router   PGR   APGR   CPT50   CPT80  AUROC\n"
            "quick   0.76  0.700  25.0 %       -  0.812\n"
            "slow       -  0.600  40.0 %       -      -\n"
            "random        0.500  50.0 %  80.0 %\n");
}

TEST(ReportView, Pairs) {
  eval::Report report{.suite = "s", .rows = {}};
  EXPECT_EQ(pairs_table(report, Terminal{}), "");
  report.pairs = {{"a", "b", 10, 5, 1, 1}, {"a", "c", 10, 4, 2, 3}};
  EXPECT_EQ(pairs_table(report, Terminal{}),
            "two plans together  both right  only the first  only the second  oracle  agreement\n"
            "a, c                         4               2                3  90.0 %     50.0 %\n"
            "a, b                         5               1                1  70.0 %     80.0 %\n");
  for (int i = 0; i < 20; ++i) report.pairs.push_back({"d", "e", 10, 0, 0, 0});
  EXPECT_EQ(std::ranges::count(pairs_table(report, Terminal{}), '\n'), 7) << "a few of them";
}

TEST(ReportView, Stages) {
  eval::Report report{.suite = "s", .rows = {{.plan = "auto", .n = 3}}};
  report.rows[0].stages = {{1, 1, 0.5, {}}, {2, 0.5, 0, {}}};
  EXPECT_EQ(stages_table(report, Terminal{}),
            "right (asked large), over time             1 - 1           2 - 3\n"
            "auto                            100.0 % (50.0 %)  50.0 % (0.0 %)\n");
}

TEST(ReportView, RequestsThatFailedAreAFailure) {
  eval::Report report{.suite = "s", .rows = {{.plan = "small", .n = 5}, {.plan = "cloud", .n = 5}}};
  EXPECT_FALSE(failure_of(report));
  report.rows[1].failures = 3;
  report.rows[1].errors = {{"overloaded", 1}, {"upstream", 2}};
  const auto failed = failure_of(report).value_or(Error{});
  EXPECT_EQ(exit_status(failed), kFailed);
  EXPECT_TRUE(failed.detail.ends_with(": 3 of 5 by `cloud` (1 overloaded, 2 upstream)"))
      << failed.detail;
}

TEST(ReportView, WhatAGuardRefusesIsNone) {
  eval::Report report{.suite = "s", .rows = {{.plan = "guard", .n = 5}}};
  report.rows[0].failures = 2;
  report.rows[0].errors = {{"refused", 2}};
  EXPECT_FALSE(failure_of(report));
  report.rows[0].failures = 3;
  report.rows[0].errors["upstream"] = 1;
  EXPECT_TRUE(failure_of(report));
}

}  // namespace
}  // namespace lichen::cli
