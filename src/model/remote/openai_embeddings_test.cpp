#include "model/remote/openai_embeddings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::model {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

const ErrorContext kContext = {.model = "cloud"};

TEST(OpenAiEmbeddings, AreOfUnitLengthInTheOrderOfTheTexts) {
  const auto reply = read_embeddings(R"({"data":[{"index":1,"embedding":[0,-2]},
      {"index":0,"embedding":[3,4.0]}],"usage":{"prompt_tokens":6}})",
                                     2, kContext);
  ASSERT_TRUE(reply);
  EXPECT_THAT(reply->vectors[0], ElementsAre(FloatEq(0.6f), FloatEq(0.8f)));
  EXPECT_THAT(reply->vectors[1], ElementsAre(FloatEq(0), FloatEq(-1)));
  EXPECT_EQ(reply->prompt_tokens, 6);
}

TEST(OpenAiEmbeddings, CountsThatCannotBeAreNone) {
  for (const char* tokens : {"9223372036854775807", "-1", "1e300", "\"6\""}) {
    const auto reply = read_embeddings(
        R"({"data":[{"embedding":[1]}],"usage":{"prompt_tokens":)" + std::string(tokens) + "}}", 1,
        kContext);
    ASSERT_TRUE(reply) << tokens;
    EXPECT_FALSE(reply->prompt_tokens) << tokens;
  }
}

TEST(OpenAiEmbeddings, SaysWhatIsWrong) {
  const auto problem = [](std::string_view json) {
    const auto reply = read_embeddings(json, 2, kContext);
    EXPECT_FALSE(reply) << json;
    if (reply) return std::string();
    EXPECT_EQ(reply.error().error.code, Errc::upstream);
    return reply.error().error.detail;
  };
  EXPECT_THAT(problem("nonsense"), HasSubstr("no list"));
  EXPECT_THAT(problem(R"({"data":[{"embedding":[1]}]})"), HasSubstr("1 for 2 texts"));
  EXPECT_THAT(problem(R"({"data":[{"embedding":[1]},{"embedding":[1,2]}]})"), HasSubstr("width"));
  EXPECT_THAT(problem(R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})"),
              HasSubstr("twice"));
  EXPECT_THAT(problem(R"({"data":[{"index":-1,"embedding":[1]},{"index":0,"embedding":[1]}]})"),
              HasSubstr("range"));
  for (const auto* vector : {"[]", "[0,0]", "[\"1\"]", "[null]", "[1e300]", "\"AAAA\"", "{}"}) {
    EXPECT_THAT(
        problem(R"({"data":[{"embedding":[1]},{"embedding":)" + std::string(vector) + "}]}"),
        HasSubstr("no vector"));
  }
}

}  // namespace
}  // namespace lichen::model
