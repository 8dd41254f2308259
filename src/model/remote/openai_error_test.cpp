#include "model/remote/openai_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::model {
namespace {

using testing::HasSubstr;
using testing::Not;

const ErrorContext kContext = {.model = "cloud",
                               .endpoint_model = "big-1",
                               .url = "https://api.example.com/v1",
                               .key_env = "CLOUD_KEY",
                               .key = "sk-secret"};

Failure read(int status, std::string_view body, std::string_view retry_after = {}) {
  return read_error(status, body, retry_after, kContext);
}

TEST(OpenAiError, ContextOverflowInEveryEndpointsWords) {
  for (
      const auto* body :
      {R"({"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}})",
       R"({"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}})",
       R"({"object":"error","message":"This model's maximum context length is 4096 tokens","code":400})",
       R"({"error":"prompt is too long: 9000 tokens > 8000"})"}) {
    const auto failure = read(400, body);
    EXPECT_EQ(failure.error.code, Errc::context_overflow) << body;
    EXPECT_FALSE(failure.retry);
  }
}

TEST(OpenAiError, AContentFilterRefusesAndIsNeverRetried) {
  for (
      const auto* body :
      {R"({"error":{"message":"no","code":"content_filter"}})",
       R"({"error":{"message":"no","type":"content_policy_violation"}})",
       R"({"error":{"message":"no","code":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}})"}) {
    EXPECT_EQ(read(400, body).error.code, Errc::refused) << body;
    EXPECT_FALSE(read(400, body).retry);
  }
}

TEST(OpenAiError, StatusesHaveTheirCodes) {
  const auto code = [](int status) { return read(status, "{}").error.code; };
  EXPECT_EQ(code(400), Errc::bad_request);
  EXPECT_EQ(code(422), Errc::bad_request);
  EXPECT_EQ(code(401), Errc::upstream);
  EXPECT_EQ(code(403), Errc::upstream);
  EXPECT_EQ(code(404), Errc::upstream);
  EXPECT_EQ(code(413), Errc::too_large);
  for (const int status : {408, 409, 429}) EXPECT_EQ(code(status), Errc::rate_limited);
  for (const int status : {301, 402, 418, 500, 503}) EXPECT_EQ(code(status), Errc::upstream);
}

TEST(OpenAiError, OnlyPassingTroublesAreWorthAnotherTry) {
  for (const int status : {429, 500, 502, 503, 504}) EXPECT_TRUE(read(status, "").retry) << status;
  for (const int status : {302, 400, 401, 404, 408, 409, 413, 422, 501}) {
    EXPECT_FALSE(read(status, "").retry) << status;
  }
  EXPECT_FALSE(read(429, R"({"error":{"message":"pay","code":"insufficient_quota"}})").retry);
}

TEST(OpenAiError, AServerFaultIsOneWhateverItsTextSays) {
  EXPECT_EQ(
      read(500, R"({"error":{"message":"context length","code":"content_filter"}})").error.code,
      Errc::upstream);
}

TEST(OpenAiError, HintsWhereToLook) {
  EXPECT_THAT(read(401, "{}").error.detail, HasSubstr("CLOUD_KEY"));
  EXPECT_THAT(read(404, "{}").error.detail, HasSubstr("big-1"));
  EXPECT_THAT(read(404, "{}").error.detail, HasSubstr("https://api.example.com/v1"));
  EXPECT_THAT(read(302, "").error.detail, HasSubstr("redirects"));
}

TEST(OpenAiError, NeverRepeatsTheKey) {
  const auto detail =
      read(401, R"({"error":{"message":"Incorrect API key: sk-secret, sk-secret."}})").error.detail;
  EXPECT_THAT(detail, Not(HasSubstr("sk-secret")));
  EXPECT_THAT(detail, HasSubstr("Incorrect API key: ***, ***."));
}

TEST(OpenAiError, NorAPartOfTheKey) {
  const std::string key(100, 'k');
  EXPECT_EQ(quote("Bearer " + key + " is wrong", key, kShortQuote), "Bearer *** is wrong");
}

TEST(OpenAiError, QuotesAnyBodyOnOneLine) {
  EXPECT_THAT(read(500, "<html>\n\x01\xff</html>").error.detail,
              HasSubstr("<html>  \xEF\xBF\xBD</html>"));
  EXPECT_LT(read(500, std::string(100'000, 'x')).error.detail.size(), 500u);
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "[";
  EXPECT_EQ(read(400, deep).error.code, Errc::bad_request);
  EXPECT_EQ(read(400, R"({"error":[1,2]})").error.code, Errc::bad_request);
}

TEST(OpenAiError, RetryAfterInSecondsAndAsADate) {
  using namespace std::chrono;
  const auto now = sys_days(year(1994) / 11 / 6) + hours(8) + minutes(49);
  EXPECT_EQ(parse_retry_after("3", now), 3.0);
  EXPECT_EQ(parse_retry_after(" 0.5 ", now), 0.5);
  EXPECT_EQ(parse_retry_after("-4", now), 0.0);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 37.0);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:48:37 GMT", now), 0.0);
  for (const auto* bad : {"", "soon", "1e999", "nan", "Sun, 31 Feb 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"}) {
    EXPECT_EQ(parse_retry_after(bad, now), std::nullopt) << bad;
  }
  EXPECT_EQ(read(429, "", "7").error.retry_after_s, 7.0);
  EXPECT_EQ(read(503, "", "7").error.retry_after_s, 7.0);
}

}  // namespace
}  // namespace lichen::model
