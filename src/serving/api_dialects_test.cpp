// Anthropic's messages and OpenAI's responses, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "serving/api_fixture.h"
#include "serving/event_stream.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

class ApiDialectsTest : public ApiTest {
 protected:
  TestReply message(std::string_view text, std::string_view fields = "",
                    std::string_view headers = "") {
    return TestClient(port()).post("/v1/messages",
                                   ask(text, R"(,"max_tokens":50)" + std::string(fields)), headers);
  }
  TestReply response(std::string_view text, std::string_view fields = "") {
    return TestClient(port()).post(
        "/v1/responses", R"({"input":")" + std::string(text) + "\"" + std::string(fields) + "}");
  }
};

TEST_F(ApiDialectsTest, AMessage) {
  start();
  const auto reply = message("hi", R"(,"model":"small")");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_TRUE(reply.headers.contains("x-lichen-receipt"));
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("model"), "small");
  EXPECT_EQ(body.at("content").at(0).at("text"), "you said hi");
  EXPECT_EQ(body.at("stop_reason"), "end_turn");
  EXPECT_EQ(body.at("usage").at("output_tokens"), 3);
}

TEST_F(ApiDialectsTest, AStreamedMessage) {
  start();
  const auto reply = message("think", R"(,"stream":true)");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
  const auto events = named_events(reply.body);
  std::string text, thinking;
  for (const auto& event : events) {
    if (event.at("type") != "content_block_delta") continue;
    const auto& delta = event.at("delta").as_object();
    if (delta.contains("text")) text += delta.at("text").as_string();
    if (delta.contains("thinking")) thinking += delta.at("thinking").as_string();
  }
  EXPECT_EQ(text, "so it is");
  EXPECT_EQ(thinking, "hm, well");
  EXPECT_EQ(events.back().at("type"), "message_stop");
}

TEST_F(ApiDialectsTest, ErrorsAreAnthropics) {
  start();
  const auto bad = message("hi", R"(,"temperature":7)");
  EXPECT_EQ(bad.status, 400);
  const auto body = json::parse(bad.body);
  EXPECT_EQ(body.at("type"), "error");
  EXPECT_EQ(body.at("error").at("type"), "invalid_request_error");
  EXPECT_THAT(std::string(body.at("error").at("message").as_string()), HasSubstr("temperature"));
  EXPECT_EQ(json::parse(message("busy").body).at("error").at("type"), "rate_limit_error");
  EXPECT_EQ(json::parse(message("hi", R"(,"model":"x")").body).at("error").at("type"),
            "not_found_error");
  const auto wrong = TestClient(port()).get("/v1/messages");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(json::parse(wrong.body).at("type"), "error");
}

TEST_F(ApiDialectsTest, TokensAreCounted) {
  start();
  const auto reply = TestClient(port()).post(
      "/v1/messages/count_tokens",
      R"({"model":"small","system":"1234","messages":[{"role":"user","content":"12345678"}]})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(json::parse(reply.body).at("input_tokens"), 3) << "four bytes each";
}

TEST_F(ApiDialectsTest, TheKeyMayComeInAnthropicsHeader) {
  setenv("LICHEN_TEST_DIALECT_KEY", "secret", 1);
  start({.api_key_env = "LICHEN_TEST_DIALECT_KEY"});
  EXPECT_EQ(message("hi", "", "x-api-key: secret\r\n").status, 200);
  EXPECT_EQ(message("hi", "", "Authorization: Bearer secret\r\n").status, 200);
  const auto refused = message("hi", "", "x-api-key: other\r\n");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(json::parse(refused.body).at("error").at("type"), "authentication_error");
  EXPECT_EQ(message("hi").status, 401);
}

TEST_F(ApiDialectsTest, AResponse) {
  start();
  const auto reply = response("hi", R"(,"model":"small","max_output_tokens":2)");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("output").at(0).at("content").at(0).at("text"), "you said");
  EXPECT_EQ(body.at("status"), "incomplete");
  EXPECT_EQ(body.at("max_output_tokens"), 2);
}

TEST_F(ApiDialectsTest, AStreamedResponse) {
  start();
  const auto reply = response("tool", R"(,"stream":true)");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto events = named_events(reply.body);
  EXPECT_EQ(events.front().at("type"), "response.created");
  EXPECT_EQ(events.back().at("type"), "response.completed");
  EXPECT_EQ(events.back().at("response").at("output").at(0).at("call_id"), "c1");
}

TEST_F(ApiDialectsTest, AFailureInMidStreamIsSaid) {
  start();
  EXPECT_EQ(named_events(message("break", R"(,"stream":true)").body).back().at("type"), "error");
  const auto events = named_events(response("break", R"(,"stream":true)").body);
  EXPECT_EQ(events.at(events.size() - 2).at("type"), "response.failed");
  EXPECT_EQ(events.back().at("type"), "error");
}

TEST_F(ApiDialectsTest, ChatsSayWhatAModelThought) {
  start();
  const auto whole = json::parse(chat("think").body);
  EXPECT_EQ(whole.at("choices").at(0).at("message").at("reasoning_content"), "hm, well");
  const auto streamed = chat("think", R"(,"stream":true)");
  EXPECT_THAT(streamed.body, HasSubstr(R"({"reasoning_content":"hm, well"})"));
  EXPECT_EQ(text_of(streamed.body), "so it is");
}

}  // namespace
}  // namespace lichen::serving
