#include "model/remote/openai_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

namespace lichen::model {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

json::value body(const Request& request, RequestStyle style = {.model = "big-1"}) {
  const auto written = write_answer_request(request, style);
  EXPECT_TRUE(written) << written.error().detail;
  return written ? json::parse(written->body) : json::value{};
}

TEST(OpenAiRequest, SendsOnlyWhatIsSet) {
  EXPECT_EQ(body({.messages = {{"user", "Hi"}}}),
            json::parse(R"({"model":"big-1","messages":[{"role":"user","content":"Hi"}]})"));
}

TEST(OpenAiRequest, GoesOnWithABegunAnswerInTheEndpointsWords) {
  const Request request{.messages = {{"user", "Hi"}}, .begun = "Hel"};
  EXPECT_EQ(body(request, {.model = "m", .continues = Continuation::final_message}),
            json::parse(R"({"model": "m", "continue_final_message": true,
                            "add_generation_prompt": false, "messages": [
      {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hel"}]})"));
  EXPECT_EQ(body(request, {.model = "m", .continues = Continuation::prefix}),
            json::parse(R"({"model": "m", "messages": [{"role": "user", "content": "Hi"},
      {"role": "assistant", "content": "Hel", "prefix": true}]})"));
  EXPECT_EQ(body(request, {.model = "m", .continues = Continuation::last_message}),
            json::parse(R"({"model": "m", "messages": [{"role": "user", "content": "Hi"},
      {"role": "assistant", "content": "Hel"}]})"));
  EXPECT_EQ(body({.prompt = "Once ", .begun = "upon"}).at("prompt"), "Once upon");
  const auto refused = write_answer_request(request, {.model = "m"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_THAT(refused.error().detail, HasSubstr("`continues`"));
  Request with_tools = request;
  with_tools.tools = {"some tool"};
  EXPECT_FALSE(write_answer_request(with_tools, {.model = "m", .continues = Continuation::prefix}));
}

TEST(OpenAiRequest, SendsEverySetting) {
  Request request{.messages = {{"user", "Hi"}}};
  request.sampling = {.temperature = 0.7f,
                      .top_k = 40,
                      .top_p = 0.9f,
                      .min_p = 0.05f,
                      .repetition_penalty = 1.1f,
                      .presence_penalty = -0.5f,
                      .frequency_penalty = 0.25f,
                      .seed = -1,
                      .logit_bias = {{42, -100.0f}}};
  request.max_tokens = 16;
  request.stop = {"\n", "END"};
  request.logprobs = true;
  request.top_logprobs = 3;
  EXPECT_EQ(body(request, {.model = "m", .stream = true}), json::parse(R"({
    "model": "m", "messages": [{"role": "user", "content": "Hi"}],
    "temperature": 0.7, "top_k": 40, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.1,
    "presence_penalty": -0.5, "frequency_penalty": 0.25, "seed": -1,
    "logit_bias": {"42": -100.0}, "max_tokens": 16, "stop": ["\n", "END"],
    "logprobs": true, "top_logprobs": 3,
    "stream": true, "stream_options": {"include_usage": true}})"));
}

TEST(OpenAiRequest, SendsToolsAndTheirCalls) {
  const auto calls = json::parse(
      R"([{"id":"c1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"}}])");
  const auto tools = json::parse(R"([{"type":"function","function":{"name":"add"}}])");
  Request request{.messages = {{"user", "1+1?"},
                               {.role = "assistant", .content = "", .tool_calls = calls.as_array()},
                               {.role = "tool", .content = "2", .tool_call_id = "c1"}}};
  request.tools = tools.as_array();
  request.tool_choice = "required";
  request.parallel_tool_calls = false;
  const auto sent = body(request).as_object();
  EXPECT_EQ(sent.at("tools"), tools);
  EXPECT_EQ(sent.at("tool_choice"), "required");
  EXPECT_EQ(sent.at("parallel_tool_calls"), false);
  EXPECT_TRUE(sent.at("messages").at(1).at("content").is_null());
  EXPECT_EQ(sent.at("messages").at(1).at("tool_calls"), calls);
  EXPECT_EQ(sent.at("messages").at(2).at("tool_call_id"), "c1");
  request.tools.clear();  // no endpoint takes these without tools
  EXPECT_FALSE(body(request).as_object().contains("parallel_tool_calls"));
  EXPECT_FALSE(body(request).as_object().contains("tool_choice"));
}

TEST(OpenAiRequest, SendsTheFormat) {
  Request request{.messages = {{"user", "Hi"}}};
  request.format.json_object = true;
  EXPECT_EQ(body(request).at("response_format"), json::parse(R"({"type":"json_object"})"));
  request.format = {.json_schema = json::parse(R"({"type":"object"})"), .json_schema_name = "sum"};
  EXPECT_EQ(body(request).at("response_format"), json::parse(R"({"type":"json_schema","json_schema":
                        {"name":"sum","schema":{"type":"object"}}})"));
  request.format.json_schema_strict = false;
  EXPECT_EQ(body(request).at("response_format").at("json_schema").at("strict"), false);
  request.format.json_schema_strict = true;
  EXPECT_EQ(body(request).at("response_format").at("json_schema").at("strict"), true);
}

TEST(OpenAiRequest, ARawPromptGoesToCompletions) {
  Request request{.prompt = "Once upon"};
  request.max_tokens = 4;
  request.logprobs = true;
  request.top_logprobs = 2;
  const auto written =
      write_answer_request(request, {.model = "m", .max_tokens_field = "max_completion_tokens"});
  ASSERT_TRUE(written);
  EXPECT_EQ(written->api, "/completions");
  EXPECT_EQ(json::parse(written->body),
            json::parse(R"({"model":"m","prompt":"Once upon","max_tokens":4,"logprobs":2})"));
}

TEST(OpenAiRequest, SaysWhatItHasNoWordFor) {
  const auto why = [](const Request& request) {
    const auto written = write_answer_request(request, {.model = "m"});
    EXPECT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::unsupported);
    return written.error().detail;
  };
  EXPECT_THAT(why({.messages = {{"user", "Hi"}}, .format = {.gbnf = "root ::= \"a\""}}),
              HasSubstr("GBNF"));
  EXPECT_THAT(why({.prompt = "x", .format = {.json_object = true}}), HasSubstr("response_format"));
  EXPECT_THAT(why({.prompt = "x", .tools = {1}}), HasSubstr("tools"));
}

TEST(OpenAiRequest, RefusesWhatJsonCannotHold) {
  const auto code = [](const Request& request) {
    return write_answer_request(request, {.model = "m"}).error().code;
  };
  EXPECT_EQ(code({.messages = {{"user", "\xff"}}}), Errc::bad_request);
  EXPECT_EQ(code({.prompt = "\xc3"}), Errc::bad_request);
  EXPECT_EQ(code({.prompt = "x", .stop = {"\xff"}}), Errc::bad_request);
  EXPECT_EQ(
      code({.prompt = "x", .sampling = {.temperature = std::numeric_limits<float>::quiet_NaN()}}),
      Errc::bad_request);
  EXPECT_EQ(code({.prompt = "x",
                  .sampling = {.logit_bias = {{1, std::numeric_limits<float>::infinity()}}}}),
            Errc::bad_request);
}

TEST(OpenAiRequest, EmbeddingsAskForFloats) {
  const std::vector<std::string> texts = {"a", "b"};
  const auto written = write_embedding_request(texts, "e");
  ASSERT_TRUE(written);
  EXPECT_EQ(json::parse(written->body),
            json::parse(R"({"model":"e","input":["a","b"],"encoding_format":"float"})"));
}

}  // namespace
}  // namespace lichen::model
