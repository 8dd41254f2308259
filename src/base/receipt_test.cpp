#include "lichen/receipt.h"

#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

namespace lichen {
namespace {

using std::chrono::milliseconds;

Step step_of(std::int64_t in, std::int64_t out, std::int64_t cached) {
  Step step;
  step.tokens_in = in;
  step.tokens_out = out;
  step.tokens_cached = cached;
  return step;
}

TEST(Price, ChargesCachedTokensAtTheirOwnPrice) {
  const Step step = step_of(1'000, 200, 400);
  EXPECT_DOUBLE_EQ((Price{.input = 2.5, .output = 10}.usd(step)), 0.0045);
  EXPECT_DOUBLE_EQ((Price{.input = 2.5, .output = 10, .cached_input = 0.25}.usd(step)), 0.0036);
  EXPECT_DOUBLE_EQ((Price{.input = 2.5, .output = 10, .cached_input = 0}.usd(step)), 0.0035);
  EXPECT_EQ(Price{}.usd(step), 0);
}

TEST(Price, NeverChargesMoreCachedTokensThanThePromptHas) {
  const Price price{.input = 1, .output = 1, .cached_input = 0.5};
  EXPECT_DOUBLE_EQ(price.usd(step_of(10, 0, 50)), 5e-6);
  EXPECT_DOUBLE_EQ(price.usd(step_of(10, 0, -50)), 10e-6);
  EXPECT_DOUBLE_EQ(price.usd(step_of(0, 0, 50)), 0);
}

TEST(ReceiptTotals, StayAtTheLimit) {
  Receipt receipt;
  receipt.steps = {
      {.model = "a", .role = "", .tokens_in = std::numeric_limits<std::int64_t>::max()},
      {.model = "b", .role = "", .tokens_in = 1}};
  EXPECT_EQ(totals(receipt).tokens_in, std::numeric_limits<std::int64_t>::max());
}

TEST(ReceiptJson, HasEveryField) {
  Receipt receipt;
  receipt.id = "rcpt_1";
  receipt.plan = "default";
  receipt.started = std::chrono::sys_days(std::chrono::January / 31 / 2026) +
                    std::chrono::hours(9) + std::chrono::minutes(5) + milliseconds(250);
  receipt.first_token_ms = 12.5;
  receipt.total_ms = 80;
  receipt.finish = "stop";
  receipt.steps = {{.model = "small",
                    .role = "answer",
                    .tokens_in = 20,
                    .tokens_out = 8,
                    .tokens_cached = 5,
                    .queued_ms = 0.5,
                    .prefill_ms = 4,
                    .decode_ms = 32,
                    .joules = 1.5},
                   {.model = "cloud",
                    .role = "answer",
                    .estimated = true,
                    .remote = true,
                    .upstream = "a.example",
                    .bytes_sent = 512,
                    .usd = 0.25}};
  receipt.decisions = {
      {"cascade", "large", "mean log-prob -0.81 under threshold -0.25", -0.81, -0.25},
      {"fallback", "small", "large failed"}};
  receipt.authors = {{.model = "cloud", .tokens = 9, .bytes = 40}};
  receipt.drafts = {{.author = "small", .drafted = 8, .accepted = 6}};
  receipt.feedback = Feedback{.score = 0.5, .comment = "too long"};

  EXPECT_EQ(boost::json::value(to_json(receipt)), boost::json::parse(R"({
    "id": "rcpt_1", "plan": "default", "key": null, "started": "2026-01-31T09:05:00.250Z",
    "finish": "stop", "error": null, "first_token_ms": 12.5, "total_ms": 80.0,
    "steps": [
      {"model": "small", "role": "answer", "tokens_in": 20, "tokens_out": 8, "tokens_cached": 5,
       "estimated": false, "remote": false, "upstream": null, "bytes_sent": 0,
       "queued_ms": 0.5, "prefill_ms": 4.0, "decode_ms": 32.0, "usd": null, "joules": 1.5},
      {"model": "cloud", "role": "answer", "tokens_in": 0, "tokens_out": 0, "tokens_cached": 0,
       "estimated": true, "remote": true, "upstream": "a.example", "bytes_sent": 512,
       "queued_ms": 0.0, "prefill_ms": 0.0, "decode_ms": 0.0, "usd": 0.25, "joules": null}],
    "decisions": [{"mechanism": "cascade", "choice": "large",
                   "reason": "mean log-prob -0.81 under threshold -0.25",
                   "score": -0.81, "threshold": -0.25},
                  {"mechanism": "fallback", "choice": "small", "reason": "large failed",
                   "score": null, "threshold": null}],
    "authors": [{"model": "cloud", "tokens": 9, "bytes": 40}],
    "drafts": [{"author": "small", "drafted": 8, "accepted": 6}],
    "feedback": {"score": 0.5, "comment": "too long"}})"));
}

TEST(ReceiptJson, AFailedTurnHasAnErrorAndNoFinish) {
  Receipt receipt;
  receipt.error = "upstream";
  const boost::json::object json = to_json(receipt);
  EXPECT_TRUE(json.at("finish").is_null());
  EXPECT_EQ(json.at("error"), "upstream");
  EXPECT_TRUE(json.at("first_token_ms").is_null());
  EXPECT_TRUE(json.at("steps").as_array().empty());
  EXPECT_TRUE(json.at("feedback").is_null());
}

TEST(ReceiptJson, TimesBeforeTheEpochAndWithinAMillisecondRoundDown) {
  Receipt receipt;
  receipt.started = std::chrono::system_clock::time_point(std::chrono::microseconds(1'999));
  EXPECT_EQ(to_json(receipt).at("started"), "1970-01-01T00:00:00.001Z");
  receipt.started = std::chrono::system_clock::time_point(std::chrono::microseconds(-1));
  EXPECT_EQ(to_json(receipt).at("started"), "1969-12-31T23:59:59.999Z");
}

TEST(FeedbackCheck, ScoreAndComment) {
  EXPECT_TRUE(check(Feedback{.score = 0}));
  EXPECT_TRUE(check(Feedback{.score = 1, .comment = std::string(kMaxFeedbackComment, 'a')}));
  EXPECT_EQ(check(Feedback{.score = -0.1}).error().code, Errc::bad_request);
  EXPECT_EQ(check(Feedback{.score = 1.1}).error().code, Errc::bad_request);
  EXPECT_FALSE(check(Feedback{.score = std::numeric_limits<double>::quiet_NaN()}));
  EXPECT_FALSE(check(Feedback{.comment = std::string(kMaxFeedbackComment + 1, 'a')}));
  EXPECT_FALSE(check(Feedback{.comment = "\xff"}));
}

}  // namespace
}  // namespace lichen
