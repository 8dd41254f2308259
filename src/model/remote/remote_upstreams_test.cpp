// A model with several endpoints: who is asked next, what goes on where an answer broke off, and
// what the receipt says of it.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "model/remote/remote_test.h"

namespace lichen::model {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;

/// A model with two endpoints, the first of which is asked first: the other's weight is a trifle.
struct Two {
  explicit Two(std::vector<Reply> at_first, std::vector<Reply> at_second,
               std::function<void(RemoteModelOptions&)> change = {})
      : first(std::move(at_first)), second(std::move(at_second)), at("", [&](auto& options) {
          options.urls = {{.url = first.url(), .weight = 1e6},
                          {.url = second.url(), .model = "big-2", .weight = 1}};
          if (change) change(options);
        }) {}

  Result<Answer> ask(Request request = {.messages = {{"user", "What is 12 + 30?"}}}) {
    return at.ask(std::move(request), turn);
  }
  const Receipt& receipt() const { return turn.receipt; }
  std::string authority(const FakeUpstream& upstream) const {
    return "127.0.0.1:" + std::to_string(upstream.port());
  }
  std::vector<UpstreamState> states() const {
    return std::dynamic_pointer_cast<RemoteModel>(at.model)->upstreams();
  }

  FakeUpstream first;
  FakeUpstream second;
  Remotely at;
  Pieces pieces;
  Turn turn{"cloud", &pieces};
};

void continues(RemoteModelOptions& options) { options.continues = Continuation::final_message; }

TEST(RemoteUpstreams, TheNextOneAnswersWhereOneFails) {
  for (const Reply& failing :
       {Reply::json("{}", 500), Reply::json("{}", 503), Reply::json("{}", 401),
        Reply::json("{}", 404), Reply::json("{}", 429, "Retry-After: 3600\r\n"),
        Reply::raw().reset(), Reply::events().close(), Reply::events().event("{").done()}) {
    Two two({failing}, {Reply::chat({"ok"})});
    const auto answer = two.ask();
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, "ok");
    EXPECT_EQ(two.first.requests().size(), 1u);
    ASSERT_EQ(two.receipt().decisions.size(), 1u);
    EXPECT_EQ(two.receipt().decisions[0].mechanism, "cloud");
    EXPECT_EQ(two.receipt().decisions[0].choice, two.authority(two.second));
    EXPECT_THAT(two.receipt().decisions[0].reason, HasSubstr(two.authority(two.first) + ": "));
    const auto body = json::parse(two.second.requests().at(0).body);
    EXPECT_EQ(body.at("model"), "big-2") << "each has its own name for the model";
  }
}

TEST(RemoteUpstreams, NobodyElseIsAskedWhereTheRequestIsAtFault) {
  for (const Reply& refusing :
       {Reply::json("{}", 400), Reply::json("{}", 413),
        Reply::json(R"({"error":{"message":"no","code":"content_filter"}})", 400)}) {
    Two two({refusing}, {Reply::chat({"ok"})});
    EXPECT_FALSE(two.ask());
    EXPECT_THAT(two.second.requests(), IsEmpty());
  }
}

TEST(RemoteUpstreams, ASilentOneIsLeftAndItsCostIsAStep) {
  Two two({Reply::raw().stall()}, {Reply::chat({"ok"})}, [](auto& options) {
    options.headers_timeout = milliseconds(30);
    options.price = Price{.input = 1, .output = 1};
    options.urls[1].price = Price{.input = 2, .output = 20};
  });
  const auto answer = two.ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  ASSERT_EQ(two.receipt().steps.size(), 2u);
  const Step& left = two.receipt().steps[0];
  EXPECT_EQ(left.role, "failed");
  EXPECT_TRUE(left.estimated);
  EXPECT_DOUBLE_EQ(left.usd.value_or(0), static_cast<double>(left.tokens_in) / 1e6);
  const Step& step = two.receipt().steps[1];
  EXPECT_EQ(step.role, "answer");
  EXPECT_DOUBLE_EQ(step.usd.value_or(0), (7 * 2 + 1 * 20) / 1e6) << "by its own price";
}

TEST(RemoteUpstreams, TheLastFailureComesBackWhereAllFail) {
  Two two({Reply::json("{}", 500)}, {Reply::json(R"({"error":"full"})", 503)});
  const auto answer = two.ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_EQ(two.first.requests().size() + two.second.requests().size(), 3u);
}

TEST(RemoteUpstreams, AnAnswerThatBreaksOffGoesOnElsewhere) {
  Two two({Reply::events().delta("The answer").delta(" is").wait(milliseconds(5)).close()},
          {Reply::chat({" forty", "-two"}, 12)}, continues);
  const auto answer = two.ask({.messages = {{"user", "What is 12 + 30?"}}, .max_tokens = 20});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "The answer is forty-two");
  EXPECT_EQ(two.pieces.text(), "The answer is forty-two") << "what was shown stays";

  const auto body = json::parse(two.second.requests().at(0).body);
  const auto& messages = body.at("messages").as_array();
  EXPECT_EQ(messages.back().at("role"), "assistant");
  EXPECT_EQ(messages.back().at("content"), "The answer is");
  EXPECT_EQ(body.at("continue_final_message"), true);

  ASSERT_EQ(two.receipt().steps.size(), 2u);
  const Step& begun = two.receipt().steps[0];
  const Step& ended = two.receipt().steps[1];
  EXPECT_EQ(begun.role, "answer");
  EXPECT_TRUE(begun.estimated);
  EXPECT_EQ(begun.tokens_out, 4);
  EXPECT_EQ(body.at("max_tokens"), 20 - begun.tokens_out);
  EXPECT_FALSE(ended.estimated);
  EXPECT_EQ(ended.tokens_in, 12);
  EXPECT_EQ(ended.tokens_out, 2);
  EXPECT_EQ(answer->completion_tokens, begun.tokens_out + ended.tokens_out);
  EXPECT_EQ(answer->prompt_tokens, ended.tokens_in - begun.tokens_out)
      << "what was begun is no part of the user's prompt";
  ASSERT_EQ(answer->authors.size(), 1u);
  EXPECT_EQ(answer->authors[0].tokens, answer->completion_tokens);
  ASSERT_EQ(two.receipt().decisions.size(), 1u);
  EXPECT_EQ(two.receipt().decisions[0].choice, two.authority(two.second));
  EXPECT_THAT(two.receipt().decisions[0].reason, HasSubstr("goes on behind what was shown"));
}

TEST(RemoteUpstreams, AnAnswerMayBreakOffTwice) {
  Two two({Reply::events().delta("one").wait(milliseconds(5)).close(), Reply::chat({" three"})},
          {Reply::events().delta(" two").wait(milliseconds(5)).close()}, continues);
  const auto answer = two.ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "one two three");
  EXPECT_EQ(two.receipt().steps.size(), 3u);
}

TEST(RemoteUpstreams, AStalledAnswerGoesOnElsewhere) {
  Two two({Reply::events().delta("The").stall()}, {Reply::chat({" end"})}, [](auto& options) {
    continues(options);
    options.idle_timeout = milliseconds(30);
  });
  EXPECT_EQ(two.ask()->text, "The end");
  EXPECT_TRUE(two.first.wait_for_closed(1));
}

TEST(RemoteUpstreams, ALoneEndpointGoesOnByItself) {
  FakeUpstream upstream(
      {Reply::events().delta("The").wait(milliseconds(5)).close(), Reply::chat({" end"})});
  Remotely at(upstream.url(), continues);
  Pieces pieces;
  Turn turn("cloud", &pieces);
  EXPECT_EQ(at.ask(turn)->text, "The end");
  EXPECT_EQ(pieces.text(), "The end");
}

TEST(RemoteUpstreams, ACutIsNeverSilent) {
  const auto cut = [] { return Reply::events().delta("Half").wait(milliseconds(5)).close(); };
  {
    Two two({cut()}, {Reply::chat({"no"})});  // nobody knows how to go on
    const auto answer = two.ask();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::upstream);
    EXPECT_THAT(answer.error().detail, HasSubstr("cut off behind what was shown"));
    EXPECT_THAT(two.second.requests(), IsEmpty());
  }
  {
    Two two({cut()}, {Reply::json(R"({"error":"no prefix"})", 400)}, continues);
    const auto answer = two.ask();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::upstream) << "the user's request is not to blame";
    EXPECT_THAT(answer.error().detail, HasSubstr("no prefix"));
    EXPECT_THAT(answer.error().detail, HasSubstr("cut off behind what was shown"));
    EXPECT_EQ(two.receipt().steps.size(), 2u);
  }
}

TEST(RemoteUpstreams, AnswersOfAFormAreNotGoneOnWith) {
  Two two({Reply::events().delta("{").wait(milliseconds(5)).close()}, {Reply::chat({"}"})},
          continues);
  EXPECT_FALSE(two.ask({.messages = {{"user", "x"}}, .format = {.json_object = true}}));
  EXPECT_THAT(two.second.requests(), IsEmpty());
}

TEST(RemoteUpstreams, WhatWasNotShownIsWrittenAnew) {
  const auto thought = R"({"choices":[{"delta":{"reasoning_content":"hmm"}}]})";
  Two two({Reply::events().event(thought).wait(milliseconds(5)).close()}, {Reply::chat({"ok"})});
  EXPECT_EQ(two.ask()->text, "ok");
  EXPECT_EQ(two.receipt().steps.at(0).role, "failed");
}

TEST(RemoteUpstreams, ABrokenOneIsLeftOut) {
  Two two({Reply::json("{}", 503)}, {Reply::chat_whole("ok")});
  for (int i = 0; i < 8; ++i) {
    Turn turn("cloud");
    EXPECT_EQ(two.at.ask(turn)->text, "ok");
  }
  EXPECT_EQ(two.first.requests().size(), 5u) << "its breaker is open";
  EXPECT_TRUE(two.states()[0].open);
  EXPECT_FALSE(two.states()[1].open);
}

TEST(RemoteUpstreams, RetriesKeepToTheirBudget) {
  FakeUpstream upstream({Reply::json("{}", 429, "Retry-After: 0\r\n")});
  Remotely at(upstream.url(), [](auto& options) { options.retries = 2; });
  std::string last;
  for (int i = 0; i < 12; ++i) {
    Turn turn("cloud");
    last = at.ask(turn).error().detail;
  }
  // Ten and a fifth of one for each request; without a budget there would be 24.
  EXPECT_GE(upstream.requests().size(), 12u + 12u);
  EXPECT_LT(upstream.requests().size(), 12u + 24u);
  EXPECT_THAT(last, HasSubstr("too many requests were"));
}

TEST(RemoteUpstreams, EmbeddingsGoElsewhereToo) {
  Two two({Reply::json("{}", 500)}, {Reply::json(R"({"data":[{"index":0,"embedding":[3,4]}]})")});
  Turn turn("cloud");
  const auto vectors = two.at.run(two.at.model->embed({"a"}, turn));
  ASSERT_TRUE(vectors) << vectors.error().detail;
  EXPECT_EQ(json::parse(two.second.requests().at(0).body).at("model"), "big-2");
}

TEST(RemoteUpstreams, WhatCannotWorkIsFoundWhenItIsOpened) {
  boost::asio::io_context io;
  const auto problem = [&](RemoteModelOptions options) {
    const auto model = open_remote_model("cloud", std::move(options), io.get_executor());
    return model ? "" : model.error().detail;
  };
  const std::string url = "http://127.0.0.1:1/v1";
  EXPECT_EQ(problem({.model = "m", .urls = {{.url = url}, {.url = url}}}), "");
  EXPECT_THAT(problem({.url = url, .model = "m", .urls = {{.url = url}}}), HasSubstr("either url"));
  EXPECT_THAT(problem({.urls = {{.url = url, .model = "m"}, {.url = url}}}),
              HasSubstr("model is empty"));
  EXPECT_THAT(problem({.model = "m", .urls = {{.url = url, .weight = 0}}}), HasSubstr("weight"));
  EXPECT_THAT(problem({.url = url, .model = "m", .hedge = Hedge{milliseconds(5)}}),
              HasSubstr("at least two urls"));
}

}  // namespace
}  // namespace lichen::model
