#include "serving/responses_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serving/event_stream.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;
using testing::ElementsAre;

const ReplyHead kHead{.id = "1", .created = 5, .model = "plan"};
const json::object kRepeated{{"temperature", 0.5}};

Answer answer_with_a_call() {
  Answer answer{.text = "I look",
                .tool_calls = {{{"id", "c1"},
                                {"type", "function"},
                                {"function", {{"name", "get"}, {"arguments", "{}"}}}}},
                .reasoning = "hm",
                .finish = Finish::tool_calls};
  answer.prompt_tokens = 10;
  answer.cached_tokens = 4;
  answer.completion_tokens = 3;
  return answer;
}

TEST(ResponsesReply, IsAResponseOfItems) {
  const Answer answer = answer_with_a_call();
  const auto reply =
      json::parse(ResponsesReply(kHead, kRepeated, false).whole(std::span(&answer, 1)));
  EXPECT_EQ(reply.at("id"), "resp_1");
  EXPECT_EQ(reply.at("object"), "response");
  EXPECT_EQ(reply.at("status"), "completed");
  EXPECT_EQ(reply.at("temperature"), 0.5);
  const auto& output = reply.at("output").as_array();
  ASSERT_EQ(output.size(), 3U);
  EXPECT_EQ(output[0].at("type"), "reasoning");
  EXPECT_EQ(output[0].at("content").at(0).at("text"), "hm");
  EXPECT_EQ(output[1].at("content").at(0).at("type"), "output_text");
  EXPECT_EQ(output[1].at("content").at(0).at("text"), "I look");
  EXPECT_EQ(output[2].at("type"), "function_call");
  EXPECT_EQ(output[2].at("call_id"), "c1");
  EXPECT_EQ(output[2].at("name"), "get");
  EXPECT_EQ(reply.at("usage").at("input_tokens_details").at("cached_tokens"), 4);
  EXPECT_EQ(reply.at("usage").at("total_tokens"), 13);
}

TEST(ResponsesReply, AnAnswerThatWasCutIsIncomplete) {
  const auto reason = [](Finish finish) {
    const Answer answer{.text = "a", .finish = finish};
    const auto reply =
        json::parse(ResponsesReply(kHead, kRepeated, false).whole(std::span(&answer, 1)));
    EXPECT_EQ(reply.at("status"), "incomplete");
    EXPECT_EQ(reply.at("output").at(0).at("status"), "incomplete");
    return std::string(reply.at("incomplete_details").at("reason").as_string());
  };
  EXPECT_EQ(reason(Finish::length), "max_output_tokens");
  EXPECT_EQ(reason(Finish::content_filter), "content_filter");
}

TEST(ResponsesReply, StreamsItemAfterItem) {
  ResponsesReply writer(kHead, kRepeated, false);
  std::string out;
  writer.start(out);
  writer.piece(out, 0, {.text = "", .model = "m", .reasoning = "hm"});
  writer.piece(out, 0, {.text = "I ", .model = "m"});
  writer.end(out, 0, answer_with_a_call());
  writer.done(out);
  const auto events = named_events(out);
  EXPECT_THAT(types_of(events),
              ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                          "response.content_part.added", "response.reasoning_text.delta",
                          "response.reasoning_text.done", "response.content_part.done",
                          "response.output_item.done", "response.output_item.added",
                          "response.content_part.added", "response.output_text.delta",
                          "response.output_text.delta", "response.output_text.done",
                          "response.content_part.done", "response.output_item.done",
                          "response.output_item.added", "response.function_call_arguments.delta",
                          "response.function_call_arguments.done", "response.output_item.done",
                          "response.completed"));
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].at("sequence_number"), i);
  EXPECT_EQ(events[10].at("delta"), "I ");
  EXPECT_EQ(events[11].at("delta"), "look") << "what was not streamed";
  EXPECT_EQ(events[10].at("item_id"), events[8].at("item").at("id"));
  EXPECT_EQ(events[12].at("text"), "I look");
  EXPECT_EQ(events[15].at("output_index"), 2);
  const auto& response = events.back().at("response");
  EXPECT_EQ(response.at("output").as_array().size(), 3U);
  EXPECT_EQ(response.at("output").at(1), events[14].at("item"));
  EXPECT_EQ(response.at("usage").at("output_tokens"), 3);
}

TEST(ResponsesReply, AnEmptyAnswerHasAMessage) {
  ResponsesReply writer(kHead, kRepeated, false);
  std::string out;
  writer.start(out);
  writer.end(out, 0, {});
  writer.done(out);
  EXPECT_EQ(named_events(out).back().at("response").at("output").at(0).at("type"), "message");
}

TEST(ResponsesReply, AnErrorInMidStream) {
  ResponsesReply writer(kHead, kRepeated, false);
  std::string out;
  writer.start(out);
  writer.piece(out, 0, {.text = "I ", .model = "m"});
  writer.error(out, {.error = {Errc::upstream, "it broke"}});
  const auto events = named_events(out);
  const auto item = std::ranges::find_if(
      events, [](const auto& event) { return event.at("type") == "response.output_item.done"; });
  ASSERT_NE(item, events.end());
  EXPECT_EQ(item->at("item").at("status"), "incomplete");
  const auto& failed = events.at(events.size() - 2);
  EXPECT_EQ(failed.at("type"), "response.failed");
  EXPECT_EQ(failed.at("response").at("status"), "failed");
  EXPECT_EQ(failed.at("response").at("error").at("message"), "it broke");
  EXPECT_EQ(events.back().at("type"), "error");
  EXPECT_EQ(events.back().at("message"), "it broke");
  EXPECT_EQ(events.back().at("error").at("message"), "it broke");
}

}  // namespace
}  // namespace lichen::serving
