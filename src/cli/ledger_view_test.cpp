#include "cli/ledger_view.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>

namespace lichen::cli {
namespace {

const SystemTime kNow = SystemTime{} + std::chrono::hours(24 * 365 * 50);

TEST(LedgerView, Since) {
  EXPECT_EQ(parse_since("90s", kNow), kNow - std::chrono::seconds(90));
  EXPECT_EQ(parse_since("30m", kNow), kNow - std::chrono::minutes(30));
  EXPECT_EQ(parse_since("24h", kNow), kNow - std::chrono::hours(24));
  EXPECT_EQ(parse_since("7d", kNow), kNow - std::chrono::hours(24 * 7));
  EXPECT_EQ(parse_since("all", kNow), SystemTime{});
  for (const auto* bad : {"", "h", "5", "-1h", "0h", "1.5h", "1w", "24hh", "99999999999999999999h",
                          "9999999999999d", " 1h"}) {
    const auto since = parse_since(bad, kNow);
    ASSERT_FALSE(since) << bad;
    EXPECT_EQ(since.error().code, Errc::bad_request);
  }
}

ledger::Totals some_totals() {
  ledger::Usage cascade{.name = "cascade", .requests = 3, .failures = 1, .tokens_in = 1'200};
  cascade.tokens_out = 60;
  cascade.answer_tokens = 40;
  cascade.answer_token_share = 1;
  cascade.bytes_sent = 2'000;
  cascade.usd = 0.5;
  cascade.p50_ms = 12;
  cascade.p95_ms = 30;
  auto small = cascade;
  small.name = "small";
  small.usd = {};
  auto all = cascade;
  all.name.clear();
  return {.all = all, .plans = {cascade}, .models = {small}};
}

TEST(LedgerView, TotalsForPeople) {
  EXPECT_EQ(totals_text({}, "24h", Terminal{}), "no requests in the last 24h\n");
  EXPECT_EQ(totals_text({}, "all", Terminal{}), "no requests yet\n");
  EXPECT_EQ(totals_text(some_totals(), "24h", Terminal{}),
            "plan     requests  failed  tokens in  cached  out    in answers    USD  joules    p50"
            "    p95\n"
            "cascade         3       1      1,200       0   60  40 (100.0 %)  $0.50       -  12 ms"
            "  30 ms\n"
            "all             3       1      1,200       0   60  40 (100.0 %)  $0.50       -  12 ms"
            "  30 ms\n"
            "\n"
            "model  requests  failed  tokens in  cached  out    in answers  USD  joules    p50    "
            "p95\n"
            "small         3       1      1,200       0   60  40 (100.0 %)    -       -  12 ms  30 "
            "ms\n"
            "\n"
            "left this device: 2.0 kB\n");
}

TEST(LedgerView, TotalsAsJson) {
  const auto json = to_json(some_totals(), SystemTime{});
  EXPECT_EQ(json.at("since"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(json.at("all").as_object().at("requests"), 3);
  EXPECT_FALSE(json.at("all").as_object().contains("name"));
  EXPECT_EQ(json.at("plans").as_array().at(0).as_object().at("name"), "cascade");
  EXPECT_EQ(json.at("plans").as_array().at(0).as_object().at("usd"), 0.5);
  EXPECT_TRUE(json.at("models").as_array().at(0).as_object().at("usd").is_null());
}

TEST(LedgerView, Receipts) {
  EXPECT_EQ(receipts_table({}, Terminal{}), "no requests yet\n");
  Receipt receipt;
  receipt.id = "rcpt_1";
  receipt.plan = "default";
  receipt.error = "upstream";
  receipt.total_ms = 5;
  receipt.steps = {{.model = "small", .role = "answer", .tokens_in = 7, .tokens_out = 2}};
  EXPECT_EQ(receipts_table(std::vector{receipt}, Terminal{}),
            "started (UTC)         receipt  plan     end       in  out    time  USD\n"
            "1970-01-01T00:00:00Z  rcpt_1   default  upstream   7    2  5.0 ms    -\n");
}

}  // namespace
}  // namespace lichen::cli
