#include "serving/anthropic_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "serving/event_stream.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;
using testing::ElementsAre;

const ReplyHead kHead{.id = "1", .created = 5, .model = "plan"};

Answer answer_with_a_call() {
  Answer answer{.text = "I look",
                .tool_calls = {{{"id", "t1"},
                                {"type", "function"},
                                {"function", {{"name", "get"}, {"arguments", R"({"a":1})"}}}}},
                .reasoning = "hm",
                .finish = Finish::tool_calls};
  answer.prompt_tokens = 10;
  answer.cached_tokens = 4;
  answer.completion_tokens = 3;
  return answer;
}

TEST(AnthropicReply, IsAMessageOfBlocks) {
  const Answer answer = answer_with_a_call();
  const auto reply = json::parse(AnthropicReply(kHead).whole(std::span(&answer, 1)));
  EXPECT_EQ(reply.at("id"), "msg_1");
  EXPECT_EQ(reply.at("type"), "message");
  EXPECT_EQ(reply.at("role"), "assistant");
  EXPECT_EQ(reply.at("model"), "plan");
  ASSERT_EQ(reply.at("content").as_array().size(), 3U);
  EXPECT_EQ(reply.at("content").at(0).at("thinking"), "hm");
  EXPECT_EQ(reply.at("content").at(1).at("text"), "I look");
  EXPECT_EQ(reply.at("content").at(2).at("type"), "tool_use");
  EXPECT_EQ(reply.at("content").at(2).at("input").at("a"), 1);
  EXPECT_EQ(reply.at("stop_reason"), "tool_use");
  EXPECT_EQ(reply.at("usage").at("input_tokens"), 6);
  EXPECT_EQ(reply.at("usage").at("cache_read_input_tokens"), 4);
  EXPECT_EQ(reply.at("usage").at("output_tokens"), 3);
}

TEST(AnthropicReply, SaysWhyItEnded) {
  const auto reason = [](Answer answer) {
    const auto reply = json::parse(AnthropicReply(kHead).whole(std::span(&answer, 1)));
    return std::string(reply.at("stop_reason").as_string());
  };
  EXPECT_EQ(reason({.text = "a"}), "end_turn");
  EXPECT_EQ(reason({.text = "a", .finish = Finish::length}), "max_tokens");
  EXPECT_EQ(reason({.text = "a", .finish = Finish::content_filter}), "refusal");
  EXPECT_EQ(reason({.text = "a", .stop_string = "END"}), "stop_sequence");
}

TEST(AnthropicReply, ArgumentsThatAreNoObjectAreKept) {
  Answer answer = answer_with_a_call();
  answer.tool_calls.at(0).at("function").as_object()["arguments"] = "not json";
  const auto reply = json::parse(AnthropicReply(kHead).whole(std::span(&answer, 1)));
  EXPECT_EQ(reply.at("content").at(2).at("input").at("arguments"), "not json");
}

TEST(AnthropicReply, StreamsBlockAfterBlock) {
  AnthropicReply writer(kHead);
  std::string out;
  writer.start(out);
  writer.piece(out, 0, {.text = "", .model = "m", .reasoning = "hm"});
  writer.piece(out, 0, {.text = "I \"", .model = "m"});
  writer.piece(out, 0, {.text = "see\"", .model = "m"});
  Answer answer = answer_with_a_call();
  answer.text = "I \"see\" it";
  writer.end(out, 0, answer);
  writer.done(out);
  const auto events = named_events(out);
  EXPECT_THAT(types_of(events),
              ElementsAre("message_start", "content_block_start", "content_block_delta",
                          "content_block_delta", "content_block_stop", "content_block_start",
                          "content_block_delta", "content_block_delta", "content_block_delta",
                          "content_block_stop", "content_block_start", "content_block_delta",
                          "content_block_stop", "message_delta", "message_stop"));
  EXPECT_EQ(events[0].at("message").at("content").as_array().size(), 0U);
  EXPECT_EQ(events[2].at("delta").at("thinking"), "hm");
  EXPECT_EQ(events[3].at("delta").at("type"), "signature_delta");
  EXPECT_EQ(events[5].at("index"), 1);
  EXPECT_EQ(events[6].at("delta").at("text"), "I \"");
  EXPECT_EQ(events[8].at("delta").at("text"), " it") << "what was not streamed";
  EXPECT_EQ(events[10].at("content_block").at("name"), "get");
  EXPECT_EQ(events[11].at("delta").at("partial_json"), R"({"a":1})");
  EXPECT_EQ(events[11].at("index"), 2);
  EXPECT_EQ(events[13].at("delta").at("stop_reason"), "tool_use");
  EXPECT_EQ(events[13].at("usage").at("input_tokens"), 6);
  EXPECT_EQ(events[13].at("usage").at("output_tokens"), 3);
}

TEST(AnthropicReply, AnErrorInMidStream) {
  AnthropicReply writer(kHead);
  std::string out;
  writer.error(out, {.error = {Errc::upstream, "it broke"}});
  const auto events = named_events(out);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].at("error").at("type"), "api_error");
  EXPECT_EQ(events[0].at("error").at("message"), "it broke");
}

}  // namespace
}  // namespace lichen::serving
