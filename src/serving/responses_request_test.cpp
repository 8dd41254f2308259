#include "serving/responses_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace lichen::serving {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

ApiResult<CompletionCall> read(std::string_view body) {
  return parse_response(json::parse(json::string_view(body)).get_object(),
                        {.max_messages = 5, .max_tokens = 500});
}
CompletionCall good(std::string_view body) {
  auto call = read(body);
  EXPECT_TRUE(call) << call.error().error.detail;
  return call ? *std::move(call) : CompletionCall{};
}
std::string wrong(std::string_view body) {
  const auto call = read(body);
  return call ? "none" : call.error().param + "| " + call.error().error.detail;
}

TEST(ResponsesRequest, AStringIsTheUsers) {
  const CompletionCall call = good(
      R"({"model":"m","input":"hi","instructions":"Be brief","max_output_tokens":9,
          "temperature":0.5,"metadata":{"a":"b"}})");
  const Request& request = call.requests.at(0);
  ASSERT_EQ(request.messages.size(), 2U);
  EXPECT_EQ(request.messages[0].role, "system");
  EXPECT_EQ(request.messages[1].content, "hi");
  EXPECT_EQ(request.max_tokens, 9);
  EXPECT_EQ(call.repeated.at("instructions"), "Be brief");
  EXPECT_EQ(call.repeated.at("metadata").at("a"), "b");
  EXPECT_EQ(call.repeated.at("tool_choice"), "auto");
}

TEST(ResponsesRequest, WhatOneAssistantThoughtSaidAndCalledIsOneMessage) {
  const CompletionCall call = good(R"({"input":[
    {"role":"user","content":[{"type":"input_text","text":"what?"}]},
    {"type":"reasoning","id":"r","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look"}]},
    {"type":"function_call","call_id":"c1","name":"get","arguments":"{}"},
    {"type":"function_call","call_id":"c2","name":"get","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":"no"}],
    "tools":[{"type":"function","name":"get","parameters":{"type":"object"},"strict":true}],
    "tool_choice":{"type":"function","name":"get"}})");
  const Request& request = call.requests.at(0);
  ASSERT_EQ(request.messages.size(), 3U);
  EXPECT_EQ(request.messages[1].reasoning, "hm");
  EXPECT_EQ(request.messages[1].content, "I look");
  EXPECT_EQ(request.messages[1].tool_calls.size(), 2U);
  EXPECT_EQ(request.messages[2].role, "tool");
  EXPECT_EQ(request.messages[2].tool_call_id, "c1");
  EXPECT_EQ(request.tools.at(0).at("function").at("name"), "get");
  EXPECT_EQ(request.tools.at(0).at("function").at("strict"), true);
  EXPECT_EQ(request.tool_choice.at("function").at("name"), "get");
}

TEST(ResponsesRequest, TheFormOfTheText) {
  const CompletionCall call = good(R"({"input":"a","text":{"format":{"type":"json_schema",
    "name":"n","schema":{"type":"object"},"strict":true}}})");
  const Format& format = call.requests.at(0).format;
  EXPECT_EQ(format.json_schema_name, "n");
  EXPECT_EQ(format.json_schema->at("type"), "object");
  EXPECT_EQ(format.json_schema_strict, true);
}

TEST(ResponsesRequest, WhatIsWrongIsNamed) {
  EXPECT_THAT(wrong("{}"), HasSubstr("input| input: is required"));
  EXPECT_THAT(wrong(R"({"input":[]})"), HasSubstr("must not be empty"));
  EXPECT_THAT(wrong(R"({"input":[{"role":"user"}]})"), HasSubstr("input[0].content| "));
  EXPECT_THAT(wrong(R"({"input":[{"type":"web_search_call"}]})"), HasSubstr("input[0].type| "));
  EXPECT_THAT(wrong(R"({"input":"a","previous_response_id":"r"})"), HasSubstr("nothing is stored"));
  EXPECT_THAT(wrong(R"({"input":"a","tools":[{"type":"web_search"}]})"),
              HasSubstr("tools[0].type| "));
  EXPECT_THAT(wrong(R"({"input":"a","tool_choice":{"type":"function","name":"x"}})"),
              HasSubstr("tool_choice.name| "));
  EXPECT_THAT(wrong(R"({"input":[{"role":"user","content":[{"type":"input_image"}]}]})"),
              HasSubstr("text only"));
  std::string many = R"({"input":[)";
  for (int i = 0; i < 6; ++i) many += R"({"role":"user","content":"a"},)";
  many.back() = ']';
  EXPECT_THAT(wrong(many + "}"), HasSubstr("the limit"));
}

}  // namespace
}  // namespace lichen::serving
