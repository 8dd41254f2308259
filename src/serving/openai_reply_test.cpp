#include "serving/openai_reply.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <limits>

namespace lichen::serving {
namespace {

namespace json = boost::json;

const ReplyHead kHead{.id = "1", .created = 5, .model = "a \"plan\""};

std::string whole_json(const OpenAiReplyOptions& options, std::span<const Answer> answers) {
  return OpenAiReply(kHead, options).whole(answers);
}

/// The data of each event of a stream; [DONE] as a string.
std::vector<json::value> events(std::string_view stream) {
  std::vector<json::value> list;
  while (!stream.empty()) {
    const auto end = stream.find("\n\n");
    EXPECT_NE(end, stream.npos);
    const auto event = stream.substr(0, end);
    EXPECT_TRUE(event.starts_with("data: ")) << event;
    const auto data = event.substr(6);
    list.push_back(data == "[DONE]" ? json::value("[DONE]") : json::parse(json::string_view(data)));
    stream.remove_prefix(end + 2);
  }
  return list;
}

TEST(OpenAiReply, IsAChatCompletion) {
  Answer answer{.text = "hé", .prompt_tokens = 3, .cached_tokens = 1, .completion_tokens = 2};
  answer.tokens = {{.text = "h", .logprob = -0.5F, .top = {{"h", -0.5F}, {"x", -2}}},
                   {.text = "\xc3", .logprob = -std::numeric_limits<float>::infinity()}};
  const auto reply = json::parse(whole_json({.logprobs = true}, std::array{answer, answer}));
  EXPECT_EQ(reply.at("id"), "chatcmpl-1");
  EXPECT_EQ(reply.at("object"), "chat.completion");
  EXPECT_EQ(reply.at("model"), "a \"plan\"");
  EXPECT_EQ(reply.at("choices").as_array().size(), 2U);
  const auto& choice = reply.at("choices").at(1);
  EXPECT_EQ(choice.at("index"), 1);
  EXPECT_EQ(choice.at("message").at("content"), "hé");
  EXPECT_EQ(choice.at("finish_reason"), "stop");
  const auto& tokens = choice.at("logprobs").at("content");
  EXPECT_EQ(tokens.at(0).at("top_logprobs").at(1).at("token"), "x");
  EXPECT_EQ(tokens.at(1).at("token"), "\xef\xbf\xbd");
  EXPECT_EQ(tokens.at(1).at("bytes"), json::array{0xc3});
  EXPECT_EQ(tokens.at(1).at("logprob"), -9'999.0);
  EXPECT_EQ(reply.at("usage").at("prompt_tokens"), 6);
  EXPECT_EQ(reply.at("usage").at("total_tokens"), 10);
  EXPECT_EQ(reply.at("usage").at("prompt_tokens_details").at("cached_tokens"), 2);
}

TEST(OpenAiReply, APromptCountsOnceHoweverManyChoicesAnswerIt) {
  const Answer first{.text = "a", .prompt_tokens = 3, .cached_tokens = 1, .completion_tokens = 2};
  const Answer other{.text = "b", .prompt_tokens = 5, .cached_tokens = 4, .completion_tokens = 1};
  OpenAiReplyOptions options{.chat = false, .choices = 4, .include_usage = true};
  options.per_prompt = 2;
  const std::array answers = {first, first, other, other};
  const auto whole = json::parse(whole_json(options, answers)).at("usage");
  EXPECT_EQ(whole.at("prompt_tokens"), 8);
  EXPECT_EQ(whole.at("prompt_tokens_details").at("cached_tokens"), 5);
  EXPECT_EQ(whole.at("completion_tokens"), 6);

  OpenAiReply writer(kHead, options);
  std::string out;
  for (const std::size_t choice : {3, 0, 2, 1}) writer.end(out, choice, answers[choice]);
  writer.done(out);
  const auto list = events(out);
  EXPECT_EQ(list.at(list.size() - 2).at("usage"), whole);
}

TEST(OpenAiReply, ToolCallsStandInTheMessage) {
  Answer answer;
  answer.finish = Finish::tool_calls;
  answer.tool_calls = {{{"id", "c"}, {"type", "function"}}};
  const auto reply = json::parse(whole_json({}, std::array{answer}));
  const auto& choice = reply.at("choices").at(0);
  EXPECT_TRUE(choice.at("message").at("content").is_null());
  EXPECT_EQ(choice.at("message").at("tool_calls").at(0).at("id"), "c");
  EXPECT_EQ(choice.at("finish_reason"), "tool_calls");
  EXPECT_TRUE(choice.at("logprobs").is_null());
}

TEST(OpenAiReply, IsATextCompletion) {
  Answer answer{.text = "éb", .finish = Finish::length};
  answer.tokens = {{.text = "é", .logprob = -1, .top = {{"é", -1}}}, {.text = "b", .logprob = -2}};
  const auto reply =
      json::parse(whole_json({.chat = false, .logprobs = true, .echo = "a "}, std::array{answer}));
  EXPECT_EQ(reply.at("object"), "text_completion");
  const auto& choice = reply.at("choices").at(0);
  EXPECT_EQ(choice.at("text"), "a éb");
  EXPECT_EQ(choice.at("finish_reason"), "length");
  EXPECT_EQ(choice.at("logprobs").at("text_offset"), (json::array{0, 1}));
  EXPECT_EQ(choice.at("logprobs").at("top_logprobs").at(0).at("é"), -1.0);
}

TEST(OpenAiReply, CitationsStandBesideTheAnswer) {
  const Answer answer{.text = "388",
                      .citations = {{"revenue: 388", 10, 32, 2}, {"no pages", 1, 2}}};
  const json::value wanted =
      json::parse(R"({"citations":[{"text":"revenue: 388","begin":10,"end":32,"page":2},)"
                  R"({"text":"no pages","begin":1,"end":2,"page":null}]})");
  const auto reply = json::parse(whole_json({}, std::array{answer}));
  EXPECT_EQ(reply.at("choices").at(0).at("lichen"), wanted);
  OpenAiReply writer(kHead, {});
  std::string out;
  writer.end(out, 0, answer);
  const auto chunks = events(out);
  EXPECT_FALSE(chunks.front().at("choices").at(0).as_object().contains("lichen"));
  EXPECT_EQ(chunks.back().at("choices").at(0).at("lichen"), wanted);
  EXPECT_EQ(chunks.back().at("choices").at(0).at("finish_reason"), "stop");
}

TEST(EmbeddingsJson, GivesFloatsOrBase64) {
  const Embeddings embeddings = {{1, -0.5F}, {}, {0.1F, 0, 2}};
  const auto floats = json::parse(embeddings_json("m", embeddings, false, 4));
  EXPECT_EQ(floats.at("data").at(0).at("embedding"), (json::array{1, -0.5}));
  EXPECT_EQ(floats.at("data").at(1).at("embedding"), json::array{});
  EXPECT_EQ(floats.at("data").at(2).at("index"), 2);
  EXPECT_EQ(floats.at("usage").at("total_tokens"), 4);
  const auto base64 = json::parse(embeddings_json("m", embeddings, true, 4));
  EXPECT_EQ(base64.at("data").at(0).at("embedding"), "AACAPwAAAL8=");
  EXPECT_EQ(base64.at("data").at(1).at("embedding"), "");
  EXPECT_EQ(base64.at("data").at(2).at("embedding"), "zczMPQAAAAAAAABA");
}

TEST(OpenAiReply, WritesRolePiecesEndUsageAndDone) {
  OpenAiReply writer(kHead, {.include_usage = true});
  std::string out;
  writer.start(out);
  writer.piece(out, 0, Piece{.text = "a\n", .model = "m"});
  writer.end(out, 0, Answer{.text = "a\n\"b\"", .prompt_tokens = 2, .completion_tokens = 3});
  writer.done(out);
  const auto list = events(out);
  ASSERT_EQ(list.size(), 6U);
  EXPECT_EQ(list[0].at("object"), "chat.completion.chunk");
  EXPECT_EQ(list[0].at("choices").at(0).at("delta").at("role"), "assistant");
  EXPECT_TRUE(list[0].at("usage").is_null());
  EXPECT_EQ(list[1].at("choices").at(0).at("delta").at("content"), "a\n");
  EXPECT_TRUE(list[1].at("choices").at(0).at("finish_reason").is_null());
  // What the mechanism did not stream comes at the end.
  EXPECT_EQ(list[2].at("choices").at(0).at("delta").at("content"), "\"b\"");
  EXPECT_EQ(list[3].at("choices").at(0).at("finish_reason"), "stop");
  EXPECT_EQ(list[4].at("choices"), json::array{});
  EXPECT_EQ(list[4].at("usage").at("total_tokens"), 5);
  EXPECT_EQ(list[5], "[DONE]");
}

TEST(OpenAiReply, StreamsToolCallsWithTheirIndex) {
  OpenAiReply writer(kHead, {.choices = 2});
  Answer answer;
  answer.finish = Finish::tool_calls;
  answer.tool_calls = {{{"id", "c"}}, {{"id", "d"}}};
  std::string out;
  writer.end(out, 1, answer);
  const auto list = events(out);
  ASSERT_EQ(list.size(), 2U);
  const auto& choice = list[0].at("choices").at(0);
  EXPECT_EQ(choice.at("index"), 1);
  EXPECT_EQ(choice.at("delta").at("tool_calls").at(1), (json::value{{"index", 1}, {"id", "d"}}));
  EXPECT_FALSE(list[0].as_object().contains("usage"));
  EXPECT_EQ(list[1].at("choices").at(0).at("finish_reason"), "tool_calls");
}

TEST(OpenAiReply, LogprobsGoOutOnce) {
  OpenAiReply writer(kHead, {.chat = false, .logprobs = true});
  const AnswerToken one{.text = "é", .logprob = -1};
  const AnswerToken two{.text = "b", .logprob = -2};
  std::string out;
  writer.piece(out, 0, Piece{.text = "é", .model = "m", .logprobs = {one}});
  Answer answer{.text = "éb"};
  answer.tokens = {one, two};
  writer.end(out, 0, answer);
  const auto list = events(out);
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].at("choices").at(0).at("text"), "é");
  EXPECT_EQ(list[1].at("choices").at(0).at("text"), "b");
  EXPECT_EQ(list[1].at("choices").at(0).at("logprobs").at("tokens"), json::array{"b"});
  EXPECT_EQ(list[1].at("choices").at(0).at("logprobs").at("text_offset"), json::array{1});
  EXPECT_TRUE(list[2].at("choices").at(0).at("logprobs").is_null());
}

TEST(ApiError, HasOpenAisForm) {
  struct Case {
    Errc code;
    unsigned status;
    const char* name;
  };
  for (const auto& [code, status, name] : {
           Case{Errc::bad_request, 400, "bad_request"},
           Case{Errc::context_overflow, 400, "context_length_exceeded"},
           Case{Errc::unsupported, 400, "unsupported"},
           Case{Errc::unauthorized, 401, "invalid_api_key"},
           Case{Errc::not_found, 404, "not_found"},
           Case{Errc::too_large, 413, "too_large"},
           Case{Errc::rate_limited, 429, "rate_limit_exceeded"},
           Case{Errc::refused, 400, "content_filter"},
           Case{Errc::budget_exceeded, 429, "insufficient_quota"},
           Case{Errc::deadline_exceeded, 504, "deadline_exceeded"},
           Case{Errc::cancelled, 499, "cancelled"},
           Case{Errc::overloaded, 503, "overloaded"},
           Case{Errc::upstream, 502, "upstream"},
           Case{Errc::bad_model, 500, "bad_model"},
           Case{Errc::bad_config, 500, "bad_config"},
           Case{Errc::storage, 500, "storage"},
           Case{Errc::internal, 500, "internal"},
       }) {
    const auto response =
        error_response(ApiError{.error = {.code = code, .detail = "why \"so\""}, .param = "x"});
    EXPECT_EQ(response.status, status);
    const auto error = json::parse(response.body).at("error");
    EXPECT_EQ(error.at("code"), name);
    EXPECT_EQ(error.at("message"), "why \"so\"");
    EXPECT_EQ(error.at("param"), "x");
    EXPECT_TRUE(error.at("type").is_string());
  }
}

TEST(ApiError, SaysWhenToTryAgain) {
  const auto response = error_response(
      ApiError{.error = {.code = Errc::rate_limited, .detail = "slow down", .retry_after_s = 1.2}});
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].first, "Retry-After");
  EXPECT_EQ(response.headers[0].second, "2");
  EXPECT_TRUE(json::parse(response.body).at("error").at("param").is_null());
}

}  // namespace
}  // namespace lichen::serving
