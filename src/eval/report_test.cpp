#include "eval/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace lichen::eval {
namespace {

using testing::ElementsAre;

/// Four tasks of two families at two levels.
Suite four_tasks() {
  Suite suite{.name = "four", .tasks = {}};
  for (int i = 0; i < 4; ++i) {
    suite.tasks.push_back({.family = i < 2 ? "add" : "sort",
                           .level = i % 2 == 0 ? 10 : 2,
                           .prompt = std::string(static_cast<std::size_t>(10 * (i + 1)), 'x'),
                           .reference = "r"});
  }
  return suite;
}

Outcome outcome(std::string plan, std::size_t task, bool right) {
  Outcome made{.plan = std::move(plan), .task = task, .right = right};
  made.ms = 10.0 * static_cast<double>(task + 1);
  made.busy_ms = 5;
  made.answer_tokens = 4;
  return made;
}

std::vector<Outcome> alone(const std::string& plan, const std::vector<bool>& right) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(right.size());
  for (std::size_t task = 0; task < right.size(); ++task) {
    outcomes.push_back(outcome(plan, task, right[task]));
  }
  return outcomes;
}

const Baselines kBaselines{.large = {"large"}, .small_alone = "small", .large_alone = "large"};

TEST(Report, StagesFollowTheSuite) {
  Suite suite{.name = "seven", .tasks = std::vector<Task>(7)};
  auto outcomes = alone("p", {true, false, true, true, false, true, false});
  outcomes[6].asked_large = true;
  const auto report = make_report(suite, {"p"}, {}, outcomes);
  std::vector<std::int64_t> sizes;
  for (const Stage& stage : report.rows.at(0).stages) sizes.push_back(stage.n);
  EXPECT_THAT(sizes, ElementsAre(1, 1, 2, 1, 2));
  EXPECT_EQ(report.rows[0].stages[2].accuracy, 1);
  EXPECT_EQ(report.rows[0].stages[4].accuracy, 0.5);
  EXPECT_EQ(report.rows[0].stages[4].large_request_share, 0.5);
  EXPECT_EQ(make_report(suite, {"q"}, {}, outcomes).rows.at(0).stages.at(0).n, 0);
}

TEST(Report, RowsAreSumsOverOutcomes) {
  auto outcomes = alone("p", {true, false, true, true});
  outcomes[0].usd = 0.5;
  outcomes[0].first_token_ms = 3;
  outcomes[1].usd = 0.25;
  outcomes[1].usd_large = 0.25;
  outcomes[1].asked_large = true;
  outcomes[1].answer_tokens_large = 4;
  outcomes[1].bytes_sent = 100;
  outcomes[1].tokens_in = 7;
  outcomes[2].joules = 2;
  outcomes[2].tokens_out = 5;
  std::swap(outcomes[0], outcomes[3]);  // in any order
  const auto report = make_report(four_tasks(), {"p"}, {.large = {"large"}}, outcomes);
  ASSERT_EQ(report.rows.size(), 1u);
  const Row& row = report.rows[0];
  EXPECT_EQ(row.n, 4);
  EXPECT_EQ(row.accuracy, 0.75);
  EXPECT_EQ(row.accuracy_low, 0.25);
  EXPECT_EQ(row.accuracy_high, 1);
  EXPECT_EQ(row.against_large, std::nullopt);
  EXPECT_EQ(row.large_request_share, 0.25);
  EXPECT_EQ(row.large_token_share, 0.25);
  EXPECT_EQ(row.tokens_in, 7);
  EXPECT_EQ(row.tokens_out, 5);
  EXPECT_EQ(row.usd, 0.75);
  EXPECT_EQ(row.usd_large, 0.25);
  EXPECT_EQ(row.joules, 2);
  EXPECT_EQ(row.bytes_sent, 100);
  EXPECT_EQ(row.p50_ms, 20);
  EXPECT_EQ(row.p95_ms, 40);
  EXPECT_EQ(row.p50_first_token_ms, 3);
  EXPECT_EQ(row.tokens_per_s, 800) << "16 tokens in 20 ms";
  EXPECT_EQ(row.failures, 0);
  ASSERT_EQ(row.families.size(), 2u);
  EXPECT_EQ(row.families[0].name, "add");
  EXPECT_EQ(row.families[0].accuracy(), 0.5);
  EXPECT_EQ(row.families[1].accuracy(), 1);
  ASSERT_EQ(row.levels.size(), 2u);
  EXPECT_EQ(row.levels[0].name, "2") << "by number, not by text";
  EXPECT_EQ(row.levels[1].name, "10");
  EXPECT_EQ(row.levels[1].right, 2);
}

TEST(Report, FailuresStayInTheDenominatorAndOutOfTheTimes) {
  auto outcomes = alone("p", {true, false, false, false});
  outcomes[1].error = "upstream";
  outcomes[2].error = "upstream";
  outcomes[3].error = "context_overflow";
  const auto report = make_report(four_tasks(), {"p"}, {}, outcomes);
  const Row& row = report.rows[0];
  EXPECT_EQ(row.accuracy, 0.25);
  EXPECT_EQ(row.n, 4);
  EXPECT_EQ(row.failures, 3);
  EXPECT_EQ(row.errors.at("upstream"), 2);
  EXPECT_EQ(row.errors.at("context_overflow"), 1);
  EXPECT_EQ(row.p95_ms, 10);
  outcomes[0].error = "upstream";
  EXPECT_EQ(make_report(four_tasks(), {"p"}, {}, outcomes).rows[0].p50_ms, std::nullopt);
}

TEST(Report, DifferencesArePairedByTask) {
  auto outcomes = alone("large", {true, true, false, true});
  std::ranges::copy(alone("p", {true, false, true, false}), std::back_inserter(outcomes));
  const auto report = make_report(four_tasks(), {"p", "large"}, kBaselines, outcomes);
  const auto against = report.rows[0].against_large.value_or(Estimate{});
  EXPECT_EQ(against.value, -0.25);
  EXPECT_EQ(against.low, -1);
  EXPECT_EQ(report.rows[1].against_large, (Estimate{0, 0, 0}));
}

TEST(Report, JsonKeepsTheRowsKeysAndNeverInvents) {
  const auto outcomes = alone("p", {true, true, true, true});
  const auto json = to_json(make_report(four_tasks(), {"p", "idle"}, {}, outcomes));
  EXPECT_EQ(json.at("suite"), "four");
  const auto& row = json.at("rows").as_array().at(0).as_object();
  const auto expected = boost::json::parse(R"({
      "plan": "p", "n": 4, "accuracy": 1.0, "accuracy_low": 1.0, "accuracy_high": 1.0,
      "against_large": null, "large_request_share": 0.0, "large_token_share": 0.0,
      "answer_tokens": 16, "tokens_in": 0,
      "tokens_out": 0, "usd": null, "usd_large": null, "joules": null, "bytes_sent": 0,
      "p50_ms": 20.0, "p95_ms": 40.0, "p50_first_token_ms": null, "p95_first_token_ms": null,
      "tokens_per_s": 800.0, "failures": 0, "errors": {},
      "families": [{"family": "add", "n": 2, "accuracy": 1.0},
                   {"family": "sort", "n": 2, "accuracy": 1.0}],
      "levels": [{"level": "2", "n": 2, "accuracy": 1.0},
                 {"level": "10", "n": 2, "accuracy": 1.0}],
      "stages": [{"n": 0, "accuracy": 0.0, "large_request_share": 0.0, "usd": null},
                 {"n": 1, "accuracy": 1.0, "large_request_share": 0.0, "usd": null},
                 {"n": 1, "accuracy": 1.0, "large_request_share": 0.0, "usd": null},
                 {"n": 1, "accuracy": 1.0, "large_request_share": 0.0, "usd": null},
                 {"n": 1, "accuracy": 1.0, "large_request_share": 0.0, "usd": null}]})");
  EXPECT_EQ(row, expected.as_object());
  const auto& idle = json.at("rows").as_array().at(1).as_object();
  EXPECT_EQ(idle.at("n"), 0);
  EXPECT_TRUE(idle.at("p50_ms").is_null());
  EXPECT_EQ(idle.at("tokens_per_s"), 0.0);
}

}  // namespace
}  // namespace lichen::eval
