#include "serving/spending.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace lichen::serving {
namespace {

std::int64_t tokens_in(const Request& request) { return expected_use({request}).tokens_in; }

TEST(ExpectedUse, IsOfAllThatAModelIsSent) {
  const std::string text(4'000, 'x');
  const boost::json::value long_one = boost::json::string(text);
  EXPECT_LT(tokens_in({.messages = {{"user", "hi"}}}), 10);
  EXPECT_GT(tokens_in({.messages = {{"user", text}}}), 999);
  EXPECT_GT(tokens_in({.messages = {{"user", "hi"}}, .document = text}), 999);
  EXPECT_GT(tokens_in({.messages = {{"user", "hi"}}, .begun = text}), 999);
  EXPECT_GT(tokens_in({.prompt = text}), 999);
  EXPECT_GT(tokens_in({.messages = {{"user", "hi"}}, .tools = {long_one}}), 999);
  Request request{.messages = {{"assistant", ""}}};
  request.messages[0].tool_calls = {long_one};
  EXPECT_GT(tokens_in(request), 999);
  Request formed{.messages = {{"user", "hi"}}};
  formed.format.json_schema = long_one;
  EXPECT_GT(tokens_in(formed), 999);
}

TEST(ExpectedUse, OfTheAnswerIsItsBound) {
  EXPECT_EQ(expected_use({Request{.max_tokens = 7}}).tokens_out, 7);
  EXPECT_EQ(expected_use({Request{}}).tokens_out, 1'024);
}

}  // namespace
}  // namespace lichen::serving
