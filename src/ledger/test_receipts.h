// Receipts for the ledger's tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <limits>
#include <string>

#include "lichen/receipt.h"

namespace lichen::ledger {

/// Every field is set, to values that a careless store would change.
inline Receipt rich_receipt(const std::string& id = "rcpt_rich") {
  Receipt receipt;
  receipt.id = id;
  receipt.plan = "default";
  receipt.started = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(1'769'850'300'250'123'457)));
  receipt.first_token_ms = 0.1 + 0.2;
  receipt.total_ms = 1e-300;
  receipt.finish = "stop";
  receipt.steps = {{.model = "klein \"🌿\" '; DROP TABLE steps; --",
                    .role = std::string("draft\0part", 10),
                    .tokens_in = std::numeric_limits<std::int64_t>::max(),
                    .tokens_out = 7,
                    .tokens_cached = 5,
                    .estimated = true,
                    .remote = false,
                    .bytes_sent = 0,
                    .queued_ms = 1.0 / 3,
                    .prefill_ms = 4,
                    .decode_ms = 1e15,
                    .usd = 0.0,
                    .joules = 1.5},
                   {.model = "large",
                    .role = "",
                    .tokens_in = 1,
                    .tokens_out = 2,
                    .tokens_cached = 0,
                    .estimated = false,
                    .remote = true,
                    .bytes_sent = 4'321,
                    .usd = 1.25e-7}};
  receipt.decisions = {
      {"cascade", "large", "mean log-prob -0.81 under threshold -0.25", -0.81, -0.25},
      {"route", "", "not UTF-8: \xFF"}};
  receipt.authors = {{.model = "large", .tokens = 3, .bytes = 11},
                     {.model = "small", .tokens = 1, .bytes = 4},
                     {.model = "large", .tokens = 2, .bytes = 0}};
  receipt.drafts = {{.author = "small", .drafted = 5, .accepted = 4},
                    {.author = "copy", .drafted = 1}};
  return receipt;
}

/// A request of `plan` at `second` that each of `models` worked on; the last wrote the answer.
inline Receipt simple_receipt(const std::string& id, const std::string& plan, int second,
                              std::vector<std::string> models) {
  Receipt receipt;
  receipt.id = id;
  receipt.plan = plan;
  receipt.started = std::chrono::system_clock::time_point(std::chrono::seconds(second));
  receipt.total_ms = second;
  receipt.finish = "stop";
  for (const std::string& model : models) {
    Step step;
    step.model = model;
    step.role = "answer";
    step.tokens_in = 10;
    step.tokens_out = second % 7;
    receipt.steps.push_back(step);
  }
  if (!models.empty()) receipt.authors = {{.model = models.back(), .tokens = 4, .bytes = 9}};
  return receipt;
}

inline void expect_same(const Receipt& a, const Receipt& b) {
  EXPECT_EQ(a.started, b.started);  // JSON has milliseconds only
  EXPECT_EQ(boost::json::serialize(to_json(a)), boost::json::serialize(to_json(b)));
}

/// A folder of its own for each test, removed afterwards.
class LedgerFileTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("lichen_" + std::string(test->test_suite_name()) + test->name() +
               std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    file_ = folder_ / "ledger.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  std::filesystem::path file_;
};

}  // namespace lichen::ledger
