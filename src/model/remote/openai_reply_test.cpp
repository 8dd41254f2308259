#include "model/remote/openai_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "base/utf8.h"
#include "model/remote/fake_upstream.h"

namespace lichen::model {
namespace {

using testing::HasSubstr;

const ErrorContext kContext = {.model = "cloud", .endpoint_model = "big-1"};

Delta add(OpenAiReply& reply, std::string_view json) {
  auto delta = reply.add(json);
  EXPECT_TRUE(delta) << delta.error().error.detail;
  return delta ? *delta : Delta{};
}

TEST(OpenAiReply, CollectsAStream) {
  OpenAiReply reply(kContext);
  EXPECT_EQ(
      add(reply, R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})").text,
      "");
  EXPECT_FALSE(reply.started());
  const auto delta = add(reply, delta_json("Hel"));
  EXPECT_EQ(delta.text, "Hel");
  EXPECT_EQ(delta.tokens, 1);
  EXPECT_TRUE(reply.started());
  add(reply, delta_json("lo"));
  EXPECT_FALSE(reply.finished());
  add(reply, R"({"choices":[{"index":0,"delta":{},"finish_reason":"length"}]})");
  add(reply, R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,
                 "prompt_tokens_details":{"cached_tokens":4}}})");
  ASSERT_TRUE(reply.usage());
  EXPECT_EQ(reply.usage()->prompt, 9);
  EXPECT_EQ(reply.usage()->cached, 4);
  EXPECT_EQ(reply.usage()->completion, 2);
  const Answer answer = reply.take();
  EXPECT_EQ(answer.text, "Hello");
  EXPECT_EQ(answer.finish, Finish::length);
}

TEST(OpenAiReply, ReadsAWholeBody) {
  OpenAiReply reply(kContext);
  add(reply,
      R"({"choices":[{"message":{"content":[{"type":"text","text":"4"},{"type":"text","text":"2"}]},
                 "finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"prompt_cache_hit_tokens":2}})");
  EXPECT_EQ(reply.usage()->cached, 2);
  EXPECT_EQ(reply.take().text, "42");
}

TEST(OpenAiReply, ReadsCompletionsOfARawPrompt) {
  OpenAiReply reply(kContext);
  add(reply, R"({"choices":[{"index":0,"text":" a time","finish_reason":"stop","logprobs":{
      "tokens":[" a"," time"],"token_logprobs":[-0.5,-1.5],"top_logprobs":[{" the":-2,"  a":-0.5},null]}}]})");
  const Answer answer = reply.take();
  EXPECT_EQ(answer.text, " a time");
  ASSERT_EQ(answer.tokens.size(), 2u);
  EXPECT_EQ(answer.tokens[1].text, " time");
  EXPECT_FLOAT_EQ(answer.tokens[1].logprob, -1.5f);
  ASSERT_EQ(answer.tokens[0].top.size(), 2u);
  EXPECT_FLOAT_EQ(answer.tokens[0].top[0].logprob, -0.5f);
}

TEST(OpenAiReply, ReadsLogprobsWithBytes) {
  OpenAiReply reply(kContext);
  const auto delta = add(reply, R"({"choices":[{"delta":{"content":"hi"},"logprobs":{"content":[
      {"token":"h","bytes":[104],"logprob":-0.1,"top_logprobs":[{"token":"H","logprob":-3}]},
      {"token":"?","bytes":[256],"logprob":-0.1},
      {"token":"i","bytes":null,"logprob":-0.2}]}}]})");
  EXPECT_EQ(delta.tokens, 2);
  ASSERT_EQ(delta.logprobs.size(), 2u);
  EXPECT_EQ(delta.logprobs[0].text, "h");
  EXPECT_EQ(delta.logprobs[0].top[0].text, "H");
  EXPECT_EQ(reply.take().tokens.size(), 2u);
}

TEST(OpenAiReply, AssemblesToolCallsFromDeltas) {
  OpenAiReply reply(kContext);
  add(reply, R"({"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function",
                 "function":{"name":"add","arguments":""}}]}}]})");
  EXPECT_TRUE(reply.started());
  add(reply,
      R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}}]})");
  add(reply, R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}},
                 {"index":1,"id":"c2","function":{"name":"now","arguments":"{}"}}]}}]})");
  add(reply, R"({"choices":[{"delta":{},"finish_reason":"stop"}]})");
  const Answer answer = reply.take();
  EXPECT_EQ(answer.finish, Finish::tool_calls);
  EXPECT_EQ(boost::json::serialize(answer.tool_calls),
            R"([{"id":"c1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"}},)"
            R"({"id":"c2","type":"function","function":{"name":"now","arguments":"{}"}}])");
}

TEST(OpenAiReply, ToolCallsWithoutAnIndexBeginWithAnId) {
  OpenAiReply reply(kContext);
  add(reply,
      R"({"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}}]})");
  add(reply, R"({"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"}"}}]}}]})");
  add(reply,
      R"({"choices":[{"delta":{"tool_calls":[{"id":"b","function":{"name":"g","arguments":"{}"}}]}}]})");
  const Answer answer = reply.take();
  ASSERT_EQ(answer.tool_calls.size(), 2u);
  EXPECT_EQ(answer.tool_calls[0].at("function").at("arguments"), "{}");
}

TEST(OpenAiReply, RefusesToolCallsOutOfOrder) {
  OpenAiReply reply(kContext);
  const auto delta = reply.add(
      R"({"choices":[{"delta":{"tool_calls":[{"index":999999999,"function":{"name":"f"}}]}}]})");
  ASSERT_FALSE(delta);
  EXPECT_EQ(delta.error().error.code, Errc::upstream);
}

TEST(OpenAiReply, CharactersAreNeverCut) {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8D\x84z";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    OpenAiReply reply(kContext);
    std::string streamed;
    int tokens = 0;
    for (const auto& part : {text.substr(0, cut), text.substr(cut)}) {
      const auto delta = add(reply, R"({"choices":[{"delta":{"content":")" + part + R"("}}]})");
      EXPECT_TRUE(base::valid_utf8(delta.text));
      streamed += delta.text;
      tokens += delta.tokens;
    }
    EXPECT_EQ(streamed, text);
    EXPECT_EQ(tokens, cut == 0 || cut == text.size() ? 1 : 2);
    EXPECT_EQ(reply.flush().text, "");
    EXPECT_EQ(reply.take().text, text);
  }
}

TEST(OpenAiReply, ACharacterThatNeverEndsIsReplaced) {
  OpenAiReply reply(kContext);
  EXPECT_EQ(add(reply, "{\"choices\":[{\"delta\":{\"content\":\"a\xE2\x82\"}}]}").text, "a");
  EXPECT_EQ(reply.flush().text, "\xEF\xBF\xBD");
  EXPECT_EQ(reply.take().text, "a\xEF\xBF\xBD");
}

TEST(OpenAiReply, NotesAContentFilter) {
  OpenAiReply reply(kContext);
  add(reply, R"({"choices":[{"delta":{},"finish_reason":"content_filter"}]})");
  EXPECT_TRUE(reply.filtered());
  EXPECT_TRUE(reply.empty());
  EXPECT_EQ(reply.take().finish, Finish::content_filter);
}

TEST(OpenAiReply, ReasoningIsASignOfLifeButNotText) {
  OpenAiReply reply(kContext);
  EXPECT_EQ(add(reply, R"({"choices":[{"delta":{"reasoning_content":"hmm"}}]})").text, "");
  EXPECT_TRUE(reply.started());
  EXPECT_EQ(reply.bytes(), 3);
  EXPECT_EQ(reply.take().text, "");
}

TEST(OpenAiReply, AnErrorInPlaceOfAnAnswerIsTyped) {
  OpenAiReply reply(kContext);
  const auto busy = reply.add(R"({"error":{"code":429,"message":"slow down"}})");
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().error.code, Errc::rate_limited);
  EXPECT_TRUE(busy.error().retry);
  const auto broken = reply.add(R"({"error":"out of memory"})");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().error.code, Errc::upstream);
  EXPECT_THAT(broken.error().error.detail, HasSubstr("out of memory"));
}

TEST(OpenAiReply, MalformedRepliesAreUpstreamErrors) {
  for (const auto* text : {"", "{", "[]", "null", "{\"choices\":[1]}", "\xff",
                           R"({"choices":[{"delta":{"tool_calls":[1]}}]})"}) {
    OpenAiReply reply(kContext);
    const auto delta = reply.add(text);
    ASSERT_FALSE(delta) << text;
    EXPECT_EQ(delta.error().error.code, Errc::upstream);
    EXPECT_FALSE(delta.error().retry);
  }
}

TEST(OpenAiReply, NonsenseCountsAreNoUsage) {
  for (const auto* count : {"-1", "1e300", "\"9\"", "99999999999999999999", "null"}) {
    OpenAiReply reply(kContext);
    add(reply, R"({"choices":[],"usage":{"prompt_tokens":)" + std::string(count) + "}}");
    EXPECT_FALSE(reply.usage()) << count;
  }
  OpenAiReply reply(kContext);
  add(reply, R"({"usage":{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":50}}})");
  EXPECT_EQ(reply.usage()->cached, 5);
}

TEST(OpenAiReply, OtherChoicesAreNotMixedIn) {
  OpenAiReply reply(kContext);
  add(reply,
      R"({"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]})");
  EXPECT_EQ(reply.take().text, "yes");
}

}  // namespace
}  // namespace lichen::model
