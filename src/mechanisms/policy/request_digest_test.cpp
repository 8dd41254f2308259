#include "mechanisms/policy/request_digest.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <functional>
#include <set>

namespace lichen::mechanisms {
namespace {

Request asked() {
  return {.messages = {{"system", "Be kind."}, {"user", "question"}}, .max_tokens = 5};
}

TEST(RequestDigest, EveryFieldCounts) {
  const std::function<void(Request&)> changes[] = {
      [](Request&) {},
      [](Request& r) { r.messages[0].role = "user"; },
      [](Request& r) { r.messages[0].content = "Be rude."; },
      [](Request& r) { r.messages[1].content = "question?"; },
      [](Request& r) { r.messages[1].name = "n"; },
      [](Request& r) { r.messages[1].tool_call_id = "n"; },
      [](Request& r) { r.messages[1].tool_calls = {1}; },
      [](Request& r) { r.messages[1].reasoning = "n"; },
      [](Request& r) {
        r.messages.push_back({"user", "more"});
      },
      [](Request& r) { r.prompt = ""; },
      [](Request& r) { r.prompt = "p"; },
      [](Request& r) { r.document = "p"; },
      [](Request& r) { r.begun = "p"; },
      [](Request& r) { r.sampling.temperature = 0; },
      [](Request& r) { r.sampling.temperature = 0.5F; },
      [](Request& r) { r.sampling.top_k = 1; },
      [](Request& r) { r.sampling.top_p = 1; },
      [](Request& r) { r.sampling.min_p = 1; },
      [](Request& r) { r.sampling.repetition_penalty = 1; },
      [](Request& r) { r.sampling.presence_penalty = 1; },
      [](Request& r) { r.sampling.frequency_penalty = 1; },
      [](Request& r) { r.sampling.seed = 1; },
      [](Request& r) {
        r.sampling.logit_bias = {{1, 1}};
      },
      [](Request& r) {
        r.sampling.logit_bias = {{1, 2}};
      },
      [](Request& r) { r.format.gbnf = "g"; },
      [](Request& r) { r.format.json_schema = boost::json::parse(R"({"a":1,"b":2})"); },
      [](Request& r) { r.format.json_schema = boost::json::parse(R"({"b":2,"a":1})"); },
      [](Request& r) { r.format.json_schema_name = "g"; },
      [](Request& r) { r.format.json_schema_strict = false; },
      [](Request& r) { r.format.json_object = true; },
      [](Request& r) { r.max_tokens = 6; },
      [](Request& r) { r.max_tokens.reset(); },
      [](Request& r) { r.stop = {"s"}; },
      [](Request& r) {
        r.stop = {"s", ""};
      },
      [](Request& r) { r.logprobs = true; },
      [](Request& r) { r.top_logprobs = 1; },
      [](Request& r) { r.tools = {1}; },
      [](Request& r) { r.tool_choice = "auto"; },
      [](Request& r) { r.parallel_tool_calls = false; },
  };
  std::set<base::Sha256> seen;
  for (const auto& change : changes) {
    Request request = asked();
    change(request);
    EXPECT_TRUE(seen.insert(digest_of(request, "")).second);
  }
  EXPECT_TRUE(seen.insert(digest_of(asked(), "another partition")).second);
  EXPECT_FALSE(seen.insert(digest_of(asked(), "")).second);
}

TEST(RequestDigest, TextsDoNotRunIntoEachOther) {
  Request one, other;
  one.stop = {"ab", "c"};
  other.stop = {"a", "bc"};
  EXPECT_NE(digest_of(one, ""), digest_of(other, ""));
}

TEST(RequestDigest, AroundTheQuestionAllElseCounts) {
  const auto around = digest_around_question(asked(), "");
  ASSERT_TRUE(around);
  Request request = asked();
  request.messages[1].content = "another";
  EXPECT_EQ(digest_around_question(request, ""), around);
  EXPECT_NE(digest_around_question(request, "p"), around);
  request.messages[0].content = "Be rude.";
  EXPECT_NE(digest_around_question(request, ""), around);
  request = asked();
  request.sampling.seed = 3;
  EXPECT_NE(digest_around_question(request, ""), around);
  EXPECT_NE(digest_of(asked(), ""), *around);
}

TEST(RequestDigest, SomeRequestsHaveNothingSimilar) {
  const std::function<void(Request&)> changes[] = {
      [](Request& r) { r.messages.clear(); },
      [](Request& r) { r.prompt = "p"; },
      [](Request& r) { r.begun = "b"; },
      [](Request& r) { r.logprobs = true; },
      [](Request& r) { r.tools = {1}; },
      [](Request& r) { r.messages.back().role = "tool"; },
      [](Request& r) { r.messages.back().content.clear(); },
  };
  for (const auto& change : changes) {
    Request request = asked();
    change(request);
    EXPECT_FALSE(digest_around_question(request, ""));
  }
}

}  // namespace
}  // namespace lichen::mechanisms
