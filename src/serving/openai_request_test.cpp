#include "serving/openai_request.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace lichen::serving {
namespace {

namespace json = boost::json;

ApiResult<CompletionCall> chat(const std::string& text, RequestLimits limits = {}) {
  const auto body = parse_body(text);
  if (!body) return std::unexpected(body.error());
  return parse_chat(body->as_object(), limits);
}

/// A chat request with one message and these further fields.
ApiResult<CompletionCall> with(const std::string& fields, RequestLimits limits = {}) {
  return chat(R"({"messages":[{"role":"user","content":"hi"}],)" + fields + "}", limits);
}

ApiResult<CompletionCall> completion(const std::string& text) {
  return parse_completion(parse_body(text)->as_object(), {});
}

TEST(ParseBody, SaysWhatIsWrong) {
  const auto detail = [](const std::string& body) { return parse_body(body).error().error.detail; };
  EXPECT_NE(detail("").find("empty"), std::string::npos);
  EXPECT_NE(detail("{\"a\":}").find("near byte 5"), std::string::npos);
  EXPECT_NE(detail("{} x").find("not valid JSON"), std::string::npos);
  EXPECT_NE(detail("{\"a\":1").find("not valid JSON"), std::string::npos);
  EXPECT_NE(detail("{\"a\":\"\xff\"}").find("UTF-8"), std::string::npos);
  EXPECT_NE(detail("{\"a\":\"\xc3").find("UTF-8"), std::string::npos);
  EXPECT_NE(detail(std::string(100'000, '[')).find("deeper"), std::string::npos);
  EXPECT_FALSE(parse_body("{\"a\":\"\\ud800\"}"));  // half a surrogate pair
  EXPECT_FALSE(parse_body("{\"a\":1e99999999999}"));
  EXPECT_TRUE(parse_body(" {\"a\":[[[[{\"b\":null}]]]]} \n"));
}

TEST(ParseChat, ReadsEveryField) {
  const auto call = chat(R"({
    "model": "default", "stream": true, "stream_options": {"include_usage": true}, "n": 2,
    "messages": [
      {"role": "developer", "content": "be brief", "name": "boss"},
      {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
      {"role": "assistant", "content": null, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
      {"role": "tool", "tool_call_id": "c1", "content": "42"}],
    "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "repetition_penalty": 1.1,
    "presence_penalty": -2, "frequency_penalty": 2, "seed": 7, "logit_bias": {"5": -100, "6": 3.5},
    "max_completion_tokens": 9, "stop": ["x", "y"], "logprobs": true, "top_logprobs": 3,
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": false,
    "response_format": {"type": "json_schema",
                        "json_schema": {"name": "s", "strict": true, "schema": {"type": "object"}}},
    "timeout": 1.5, "user": "someone", "field_of_tomorrow": {}})");
  ASSERT_TRUE(call) << call.error().error.detail;
  EXPECT_EQ(call->model, "default");
  EXPECT_TRUE(call->stream);
  EXPECT_TRUE(call->include_usage);
  EXPECT_EQ(call->timeout, std::chrono::milliseconds(1'500));
  ASSERT_EQ(call->requests.size(), 2U);
  EXPECT_EQ(call->requests[1].sampling.seed, 8);
  const Request& request = call->requests[0];
  ASSERT_EQ(request.messages.size(), 4U);
  EXPECT_EQ(request.messages[0].role, "system");
  EXPECT_EQ(request.messages[0].name, "boss");
  EXPECT_EQ(request.messages[1].content, "ab");
  EXPECT_EQ(request.messages[2].tool_calls.size(), 1U);
  EXPECT_EQ(request.messages[3].tool_call_id, "c1");
  EXPECT_FLOAT_EQ(*request.sampling.temperature, 0.5F);
  EXPECT_FLOAT_EQ(*request.sampling.top_p, 0.9F);
  EXPECT_EQ(request.sampling.top_k, 40);
  EXPECT_FLOAT_EQ(*request.sampling.min_p, 0.05F);
  EXPECT_FLOAT_EQ(*request.sampling.repetition_penalty, 1.1F);
  EXPECT_FLOAT_EQ(*request.sampling.presence_penalty, -2);
  EXPECT_FLOAT_EQ(*request.sampling.frequency_penalty, 2);
  EXPECT_EQ(request.sampling.seed, 7);
  EXPECT_EQ(request.sampling.logit_bias, (std::map<std::int32_t, float>{{5, -100}, {6, 3.5}}));
  EXPECT_EQ(request.max_tokens, 9);
  EXPECT_EQ(request.stop, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(request.logprobs);
  EXPECT_EQ(request.top_logprobs, 3);
  EXPECT_EQ(request.tools.size(), 1U);
  EXPECT_TRUE(request.tool_choice.is_object());
  EXPECT_FALSE(request.parallel_tool_calls);
  EXPECT_EQ(request.format.json_schema_name, "s");
  EXPECT_EQ(request.format.json_schema_strict, true);
  EXPECT_EQ(*request.format.json_schema, json::parse(R"({"type":"object"})"));
}

TEST(ParseChat, LeavesOpenWhatIsNotSaid) {
  const auto call = with(R"("temperature": null, "stop": null, "seed": null, "tools": null)");
  ASSERT_TRUE(call);
  const Request& request = call->requests.at(0);
  EXPECT_FALSE(request.sampling.temperature || request.sampling.seed || request.max_tokens);
  EXPECT_TRUE(request.stop.empty() && request.tools.empty() && request.tool_choice.is_null());
  EXPECT_TRUE(request.format.free());
  EXPECT_FALSE(call->stream || request.logprobs);
}

TEST(ParseChat, TheLastMessageMayBeGoneOnWith) {
  const auto asked = [](const std::string& last, const std::string& fields) {
    return chat(R"({"messages":[{"role":"user","content":"hi"},)" + last + R"(],)" + fields + "}");
  };
  const std::string begun = R"({"role":"assistant","content":"Hel"})";
  const auto call =
      asked(begun, R"("continue_final_message":true,"add_generation_prompt":false,"n":2)");
  ASSERT_TRUE(call) << call.error().error.detail;
  for (const Request& request : call->requests) {
    EXPECT_EQ(request.begun, "Hel");
    ASSERT_EQ(request.messages.size(), 1U);
    EXPECT_EQ(request.messages[0].content, "hi");
  }
  EXPECT_EQ(asked(begun, R"("continue_final_message":false)")->requests[0].messages.size(), 2U);
  EXPECT_EQ(
      asked(R"({"role":"user","content":"Hel"})", R"("continue_final_message":true)").error().param,
      "continue_final_message");
  EXPECT_EQ(
      asked(begun, R"("continue_final_message":true,"add_generation_prompt":true)").error().param,
      "add_generation_prompt");
}

TEST(ParseChat, ADocumentIsText) {
  const auto call = with(R"("document": "one\ftwo")");
  ASSERT_TRUE(call) << call.error().error.detail;
  EXPECT_EQ(call->requests[0].document, "one\ftwo");
  EXPECT_FALSE(with(R"("document": null)")->requests[0].document);
  EXPECT_TRUE(with(R"("document": "a\u0000b")").error().error.detail.contains("NUL at byte 1"));
}

TEST(ParseChat, PriorityIsOneOfTwo) {
  EXPECT_EQ(with(R"("n":1)")->priority, Priority::interactive);
  EXPECT_EQ(with(R"("priority":"interactive")")->priority, Priority::interactive);
  EXPECT_EQ(with(R"("priority":"background")")->priority, Priority::background);
  for (const char* wrong : {R"("priority":"low")", R"("priority":1)"}) {
    const auto call = with(wrong);
    ASSERT_FALSE(call) << wrong;
    EXPECT_EQ(call.error().error.code, Errc::bad_request);
    EXPECT_EQ(call.error().param, "priority");
  }
  const auto embedding =
      parse_embedding(json::parse(R"({"input":"a","priority":"background"})").as_object());
  EXPECT_EQ(embedding->priority, Priority::background);
}

TEST(ParseChat, WholeNumbersMayBeWrittenAsDoubles) {
  EXPECT_EQ(with(R"("max_tokens": 5.0)")->requests[0].max_tokens, 5);
}

TEST(ParseChat, ASeedMayBeNegativeOrTheLargest) {
  EXPECT_EQ(with(R"("seed": -1)")->requests[0].sampling.seed, -1);
  const auto call = with(R"("seed": 9223372036854775807, "n": 2)");
  EXPECT_EQ(call->requests[0].sampling.seed, INT64_MAX);
  EXPECT_EQ(call->requests[1].sampling.seed, INT64_MIN);
}

TEST(ParseChat, TheServersLimitsHold) {
  EXPECT_EQ(with(R"("n": 1)", {.max_tokens = 10})->requests[0].max_tokens, 10);
  EXPECT_EQ(with(R"("max_tokens": 3)", {.max_tokens = 10})->requests[0].max_tokens, 3);
  EXPECT_EQ(with(R"("max_tokens": 11)", {.max_tokens = 10}).error().param, "max_tokens");
  const auto long_call =
      chat(R"({"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]})",
           {.max_messages = 1});
  EXPECT_EQ(long_call.error().error.code, Errc::too_large);
}

struct Wrong {
  const char* fields;
  const char* param;
  Errc code = Errc::bad_request;
};

class WrongField : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongField, IsNamed) {
  const auto call = with(GetParam().fields);
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().param, GetParam().param);
  EXPECT_EQ(call.error().error.code, GetParam().code);
  EXPECT_TRUE(call.error().error.detail.starts_with(call.error().param + ": "));
}

INSTANTIATE_TEST_SUITE_P(
    Chat, WrongField,
    ::testing::Values(
        Wrong{R"("model": 5)", "model"}, Wrong{R"("document": ["a"])", "document"},
        Wrong{R"("document": " \n")", "document"}, Wrong{R"("document": "\u0000")", "document"},
        Wrong{R"("stream": "yes")", "stream"}, Wrong{R"("temperature": 2.1)", "temperature"},
        Wrong{R"("temperature": -0.1)", "temperature"},
        Wrong{R"("temperature": "hot")", "temperature"},
        Wrong{R"("temperature": 1e308)", "temperature"}, Wrong{R"("top_p": 0)", "top_p"},
        Wrong{R"("top_p": 1.5)", "top_p"}, Wrong{R"("min_p": 1)", "min_p"},
        Wrong{R"("top_k": -1)", "top_k"}, Wrong{R"("top_k": 1.5)", "top_k"},
        Wrong{R"("repetition_penalty": 0)", "repetition_penalty"},
        Wrong{R"("presence_penalty": 3)", "presence_penalty"},
        Wrong{R"("frequency_penalty": -3)", "frequency_penalty"},
        Wrong{R"("seed": 18446744073709551616)", "seed"}, Wrong{R"("seed": 0.5)", "seed"},
        Wrong{R"("max_tokens": 0)", "max_tokens"},
        Wrong{R"("max_tokens": 99999999999)", "max_tokens"},
        Wrong{R"("max_completion_tokens": -5)", "max_completion_tokens"}, Wrong{R"("n": 0)", "n"},
        Wrong{R"("n": 9)", "n"}, Wrong{R"("stop": ["a","b","c","d","e"])", "stop"},
        Wrong{R"("stop": "")", "stop"}, Wrong{R"("stop": [1])", "stop[0]"},
        Wrong{R"("stop": {})", "stop"}, Wrong{R"("logit_bias": {"x": 1})", "logit_bias.x"},
        Wrong{R"("logit_bias": {"-1": 1})", "logit_bias.-1"},
        Wrong{R"("logit_bias": {"1": 101})", "logit_bias.1"},
        Wrong{R"("logit_bias": {"1": null})", "logit_bias.1"},
        Wrong{R"("logit_bias": [1])", "logit_bias"}, Wrong{R"("logprobs": 1)", "logprobs"},
        Wrong{R"("top_logprobs": 1)", "top_logprobs"},
        Wrong{R"("logprobs": true, "top_logprobs": 21)", "top_logprobs"},
        Wrong{R"("stream_options": {"include_usage": true})", "stream_options"},
        Wrong{R"("stream": true, "stream_options": {"include_usage": 1})",
              "stream_options.include_usage"},
        Wrong{R"("response_format": "json")", "response_format"},
        Wrong{R"("response_format": {})", "response_format.type"},
        Wrong{R"("response_format": {"type": "xml"})", "response_format.type"},
        Wrong{R"("response_format": {"type": "json_schema"})", "response_format.json_schema"},
        Wrong{R"("response_format": {"type": "json_schema", "json_schema": {"name": "a"}})",
              "response_format.json_schema.schema"},
        Wrong{R"("response_format": {"type": "json_object"}, "grammar": "root ::= x")", "grammar"},
        Wrong{R"("tools": [{}])", "tools[0].type"}, Wrong{R"("tools": [7])", "tools[0]"},
        Wrong{R"("tools": [{"type": "function"}])", "tools[0].function"},
        Wrong{R"("tools": [{"type": "function", "function": {"name": "a b"}}])",
              "tools[0].function.name"},
        Wrong{R"("tool_choice": "sometimes")", "tool_choice"},
        Wrong{R"("tool_choice": "required")", "tool_choice"},
        Wrong{R"("tool_choice": {"type": "function", "function": {"name": "g"}})",
              "tool_choice.function.name"},
        Wrong{R"("functions": [])", "functions", Errc::unsupported},
        Wrong{R"("audio": {})", "audio", Errc::unsupported}, Wrong{R"("timeout": 0)", "timeout"}));

struct WrongMessage {
  const char* messages;
  const char* param;
  Errc code = Errc::bad_request;
};

class WrongMessages : public ::testing::TestWithParam<WrongMessage> {};

TEST_P(WrongMessages, AreNamed) {
  const auto call = chat(std::string(R"({"messages":)") + GetParam().messages + "}");
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().param, GetParam().param);
  EXPECT_EQ(call.error().error.code, GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    Chat, WrongMessages,
    ::testing::Values(
        WrongMessage{"[]", "messages"}, WrongMessage{"null", "messages"},
        WrongMessage{"{}", "messages"}, WrongMessage{"[1]", "messages[0]"},
        WrongMessage{R"([{"content":"a"}])", "messages[0].role"},
        WrongMessage{R"([{"role":"king","content":"a"}])", "messages[0].role"},
        WrongMessage{R"([{"role":"user"}])", "messages[0].content"},
        WrongMessage{R"([{"role":"user","content":1}])", "messages[0].content"},
        WrongMessage{R"([{"role":"user","content":["a"]}])", "messages[0].content[0]"},
        WrongMessage{R"([{"role":"user","content":[{"type":"text"}]}])",
                     "messages[0].content[0].text"},
        WrongMessage{
            R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}])",
            "messages[0].content[0].type", Errc::unsupported},
        WrongMessage{R"([{"role":"user","content":"a"},{"role":"assistant"}])",
                     "messages[1].content"},
        WrongMessage{R"([{"role":"tool","content":"a"}])", "messages[0].tool_call_id"},
        WrongMessage{R"([{"role":"user","content":"a","tool_calls":[]}])",
                     "messages[0].tool_calls"},
        WrongMessage{R"([{"role":"assistant","tool_calls":[{"type":"function"}]}])",
                     "messages[0].tool_calls[0].id"},
        WrongMessage{R"([{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f"}}]}])",
                     "messages[0].tool_calls[0].function.arguments"}));

TEST(ParseCompletion, ReadsPromptsTimesChoices) {
  const auto call = completion(R"({"prompt":["a","b"],"n":2,"seed":1,"logprobs":2})");
  ASSERT_TRUE(call) << call.error().error.detail;
  EXPECT_EQ(call->dialect, Dialect::completion);
  ASSERT_EQ(call->requests.size(), 4U);
  EXPECT_EQ(call->requests[1].prompt, "a");
  EXPECT_EQ(call->requests[1].sampling.seed, 2);
  EXPECT_EQ(call->requests[2].prompt, "b");
  EXPECT_EQ(call->requests[2].sampling.seed, 1);
  EXPECT_TRUE(call->requests[0].logprobs);
  EXPECT_EQ(completion(R"({"prompt":"a","echo":true})")->echo, "a");
}

TEST(ParseCompletion, RefusesWhatCannotBe) {
  const auto param = [](const char* text) { return completion(text).error().param; };
  EXPECT_EQ(param("{}"), "prompt");
  EXPECT_EQ(param(R"({"prompt":[]})"), "prompt");
  EXPECT_EQ(param(R"({"prompt":[1,2]})"), "prompt");
  EXPECT_EQ(param(R"({"prompt":["a","b","c"],"n":3})"), "n");
  EXPECT_EQ(param(R"({"prompt":"a","document":"b"})"), "document");
  EXPECT_EQ(param(R"({"prompt":"a","best_of":2})"), "best_of");
  EXPECT_EQ(param(R"({"prompt":"a","suffix":"b"})"), "suffix");
  EXPECT_EQ(param(R"({"prompt":"a","echo":true,"stream":true})"), "echo");
}

TEST(ParseEmbedding, ReadsTextsAndForm) {
  const auto embedding = [](const char* text) {
    return parse_embedding(json::parse(text).as_object());
  };
  const auto call = embedding(R"({"model":"m","input":["a","b"],"encoding_format":"base64"})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->texts, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(call->base64);
  EXPECT_EQ(embedding(R"({"input":""})").error().param, "input");
  EXPECT_EQ(embedding(R"({"input":[[1]]})").error().error.code, Errc::unsupported);
  EXPECT_EQ(embedding(R"({"input":"a","encoding_format":"hex"})").error().param, "encoding_format");
  EXPECT_EQ(embedding(R"({"input":"a","dimensions":3})").error().param, "dimensions");
}

}  // namespace
}  // namespace lichen::serving
