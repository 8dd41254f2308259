#include "eval/report.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <numeric>

namespace lichen::eval {
namespace {

TEST(Percentile, NearestRank) {
  EXPECT_EQ(percentile({}, 50), std::nullopt);
  EXPECT_EQ(percentile(std::vector{7.0}, 50), 7);
  EXPECT_EQ(percentile(std::vector{7.0}, 95), 7);
  const std::vector values = {50.0, 15.0, 40.0, 20.0, 35.0};
  EXPECT_EQ(percentile(values, 5), 15);
  EXPECT_EQ(percentile(values, 30), 20);
  EXPECT_EQ(percentile(values, 40), 20);
  EXPECT_EQ(percentile(values, 50), 35);
  EXPECT_EQ(percentile(values, 100), 50);
}

TEST(Percentile, RankIsNotLiftedByRounding) {
  std::vector<double> values(20);
  std::iota(values.begin(), values.end(), 1.0);
  EXPECT_EQ(percentile(values, 95), 19);
  EXPECT_EQ(percentile(values, 50), 10);
  values.resize(100);
  std::iota(values.begin(), values.end(), 1.0);
  EXPECT_EQ(percentile(values, 95), 95);
  EXPECT_EQ(percentile(values, 7), 7);
}

TEST(Report, JsonHasExactlyTheAgreedForm) {
  const Report report{.suite = "demo",
                      .rows = {{.plan = "cascade",
                                .n = 4,
                                .accuracy = 0.75,
                                .large_request_share = 0.5,
                                .large_token_share = 0.25,
                                .p50_ms = 12.5,
                                .p95_ms = 40,
                                .tokens_per_s = 100,
                                .failures = 1},
                               {.plan = "dead", .n = 1, .failures = 1}}};
  EXPECT_EQ(to_json(report), boost::json::parse(R"({"suite": "demo", "rows": [
              {"plan": "cascade", "n": 4, "accuracy": 0.75, "large_request_share": 0.5,
               "large_token_share": 0.25, "p50_ms": 12.5, "p95_ms": 40.0, "tokens_per_s": 100.0,
               "failures": 1},
              {"plan": "dead", "n": 1, "accuracy": 0.0, "large_request_share": 0.0,
               "large_token_share": 0.0, "p50_ms": null, "p95_ms": null, "tokens_per_s": 0.0,
               "failures": 1}]})")
                                 .as_object());
}

}  // namespace
}  // namespace lichen::eval
