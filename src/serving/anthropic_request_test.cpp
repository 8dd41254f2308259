#include "serving/anthropic_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace lichen::serving {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::IsEmpty;

ApiResult<CompletionCall> read(std::string_view body) {
  return parse_messages(json::parse(json::string_view(body)).get_object(),
                        {.max_messages = 10, .max_tokens = 500});
}
CompletionCall good(std::string_view body) {
  auto call = read(body);
  EXPECT_TRUE(call) << call.error().error.detail;
  return call ? *std::move(call) : CompletionCall{};
}
/// The error, behind the field that it is at.
std::string wrong(std::string_view body) {
  const auto call = read(body);
  return call ? "none" : call.error().param + "| " + call.error().error.detail;
}

constexpr std::string_view kHi = R"("max_tokens":9,"messages":[{"role":"user","content":"hi"}])";

std::string with(std::string_view fields) {
  return "{" + std::string(kHi) + "," + std::string(fields) + "}";
}

TEST(AnthropicRequest, SaysWhatIsAskedAndHow) {
  const CompletionCall call = good(
      with(R"("model":"m","system":[{"type":"text","text":"Be "},{"type":"text","text":"brief"}],
        "temperature":0.5,"top_p":0.9,"top_k":7,"stop_sequences":["END","STOP"],"stream":true,
        "metadata":{"user_id":"u"},"thinking":{"type":"enabled","budget_tokens":1024})"));
  EXPECT_EQ(call.model, "m");
  EXPECT_TRUE(call.stream);
  EXPECT_EQ(call.dialect, Dialect::messages);
  const Request& request = call.requests.at(0);
  ASSERT_EQ(request.messages.size(), 2U);
  EXPECT_EQ(request.messages[0].role, "system");
  EXPECT_EQ(request.messages[0].content, "Be brief");
  EXPECT_EQ(request.messages[1].content, "hi");
  EXPECT_EQ(request.max_tokens, 9);
  EXPECT_EQ(request.sampling.temperature, 0.5F);
  EXPECT_EQ(request.sampling.top_k, 7);
  EXPECT_THAT(request.stop, testing::ElementsAre("END", "STOP"));
}

TEST(AnthropicRequest, ToolsAndTheirResultsAreMessages) {
  const CompletionCall call = good(R"({"max_tokens":9,
    "tools":[{"name":"get","description":"d","input_schema":{"type":"object"}}],
    "tool_choice":{"type":"tool","name":"get","disable_parallel_tool_use":true},
    "messages":[{"role":"user","content":"what?"},
      {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},
        {"type":"text","text":"I look"},{"type":"tool_use","id":"t1","name":"get","input":{"a":1}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,
        "content":[{"type":"text","text":"no"}]},{"type":"text","text":"go on"}]}]})");
  const Request& request = call.requests.at(0);
  ASSERT_EQ(request.messages.size(), 4U);
  const Message& said = request.messages[1];
  EXPECT_EQ(said.reasoning, "hm");
  EXPECT_EQ(said.content, "I look");
  const json::value& tool_call = said.tool_calls.at(0);
  EXPECT_EQ(tool_call.at("id"), "t1");
  EXPECT_EQ(tool_call.at("function").at("arguments"), R"({"a":1})");
  EXPECT_EQ(request.messages[2].role, "tool");
  EXPECT_EQ(request.messages[2].tool_call_id, "t1");
  EXPECT_EQ(request.messages[2].content, "Error: no");
  EXPECT_EQ(request.messages[3].content, "go on");
  EXPECT_EQ(request.tools.at(0).at("function").at("parameters").at("type"), "object");
  EXPECT_EQ(request.tool_choice.at("function").at("name"), "get");
  EXPECT_FALSE(request.parallel_tool_calls);
}

TEST(AnthropicRequest, WhatTheAssistantHasBegunIsGoneOnWith) {
  const CompletionCall call = good(R"({"max_tokens":9,"messages":[{"role":"user","content":"hi"},
    {"role":"assistant","content":"Well,"}]})");
  EXPECT_EQ(call.requests.at(0).begun, "Well,");
  EXPECT_EQ(call.requests.at(0).messages.size(), 1U);
}

TEST(AnthropicRequest, ATextDocumentIsTheRequests) {
  const CompletionCall call = good(R"({"max_tokens":9,"messages":[{"role":"user","content":[
    {"type":"document","source":{"type":"text","media_type":"text/plain","data":"Once."}},
    {"type":"text","text":"When?"}]}]})");
  EXPECT_EQ(call.requests.at(0).document, "Once.");
  EXPECT_EQ(call.requests.at(0).messages.at(0).content, "When?");
}

TEST(AnthropicRequest, WhatIsWrongIsNamed) {
  EXPECT_THAT(wrong(R"({"max_tokens":9})"), HasSubstr("messages| messages: is required"));
  EXPECT_THAT(wrong(R"({"messages":[{"role":"user","content":"hi"}]})"),
              HasSubstr("max_tokens| max_tokens: is required"));
  EXPECT_THAT(wrong(with(R"("temperature":1.5)")), HasSubstr("temperature| "));
  EXPECT_THAT(wrong(R"({"max_tokens":501,"messages":[{"role":"user","content":"hi"}]})"),
              HasSubstr("at most 500"));
  EXPECT_THAT(wrong(R"({"max_tokens":9,"messages":[{"role":"system","content":"hi"}]})"),
              HasSubstr("messages[0].role| "));
  EXPECT_THAT(wrong(R"({"max_tokens":9,"messages":[{"role":"user","content":[{"text":"hi"}]}]})"),
              HasSubstr("messages[0].content[0].type| "));
  EXPECT_THAT(wrong(R"({"max_tokens":9,"messages":[{"role":"user","content":[7]}]})"),
              HasSubstr("messages[0].content[0]| "));
  EXPECT_THAT(wrong(with(R"("tools":[{"name":"a b","input_schema":{}}])")),
              HasSubstr("tools[0].name| "));
  EXPECT_THAT(wrong(with(R"("tool_choice":{"type":"any"})")), HasSubstr("there are no tools"));
  EXPECT_THAT(wrong(with(R"("tool_choice":{"type":"tool","name":"x"})")),
              HasSubstr("tool_choice.name| "));
}

TEST(AnthropicRequest, WhatCannotBeDoneIsUnsupported) {
  const auto code = [](std::string_view body) {
    const auto call = read(body);
    return call ? Errc::internal : call.error().error.code;
  };
  EXPECT_EQ(code(R"({"max_tokens":9,"messages":[{"role":"user","content":[
      {"type":"image","source":{"type":"url","url":"http://x"}}]}]})"),
            Errc::unsupported);
  EXPECT_EQ(code(with(R"("tools":[{"type":"web_search_20250305","name":"web_search"}])")),
            Errc::unsupported);
}

TEST(AnthropicRequest, CountingNeedsNoMaxTokens) {
  const auto body = json::parse(R"({"model":"m","messages":[{"role":"user","content":"hi"}]})");
  const auto call = parse_count_tokens(body.get_object(), {});
  ASSERT_TRUE(call) << call.error().error.detail;
  EXPECT_EQ(call->requests.at(0).messages.at(0).content, "hi");
}

}  // namespace
}  // namespace lichen::serving
