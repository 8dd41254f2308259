#include "model/remote/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace lichen::model {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<Endpoint> parse(std::string url, std::string key_env = "", bool allow_insecure = false) {
  return parse_endpoint({.url = std::move(url), .model = "m", .key_env = std::move(key_env)},
                        allow_insecure);
}

std::string problem(const Result<Endpoint>& result) {
  EXPECT_FALSE(result);
  if (result) return {};
  EXPECT_EQ(result.error().code, Errc::bad_config);
  return result.error().detail;
}

TEST(Endpoint, TakesUrlsApart) {
  const auto plain = parse("https://api.example.com/v1/");
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->host.tls);
  EXPECT_EQ(plain->host.name, "api.example.com");
  EXPECT_EQ(plain->host.port, "443");
  EXPECT_EQ(plain->authority, "api.example.com");
  EXPECT_EQ(plain->target("/chat/completions"), "/v1/chat/completions");

  const auto full = parse("http://[::1]:8080/a/b?version=2");
  ASSERT_TRUE(full);
  EXPECT_FALSE(full->host.tls);
  EXPECT_EQ(full->host.name, "::1");
  EXPECT_EQ(full->host.port, "8080");
  EXPECT_EQ(full->authority, "[::1]:8080");
  EXPECT_EQ(full->target("/embeddings"), "/a/b/embeddings?version=2");

  const auto bare = parse("http://localhost");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->host.port, "80");
  EXPECT_EQ(bare->target("/completions"), "/completions");
}

TEST(Endpoint, SaysWhatIsWrongWithAUrl) {
  EXPECT_THAT(problem(parse("")), HasSubstr("is no url"));
  EXPECT_THAT(problem(parse("api.example.com/v1")), HasSubstr("https://api.example.com/v1"));
  EXPECT_THAT(problem(parse("ftp://example.com/v1")), HasSubstr("must be http or https"));
  EXPECT_THAT(problem(parse("https:///v1")), HasSubstr("names no host"));
  EXPECT_THAT(problem(parse("https://example.com:0/v1")), HasSubstr("1 to 65535"));
  EXPECT_THAT(problem(parse("https://example.com:99999/v1")), HasSubstr("1 to 65535"));
  EXPECT_THAT(problem(parse("https://example.com/v1#x")), HasSubstr("fragment"));
  EXPECT_THAT(problem(parse("https://example.com/v1/chat/completions")), HasSubstr("end before"));
  EXPECT_THAT(problem(parse("https://a b/v1")), HasSubstr("is no url"));
  EXPECT_THAT(problem(parse("https://a\r\nX: y/v1")), HasSubstr("is no url"));
  EXPECT_THAT(problem(parse("https://a%0d%0a/v1")), HasSubstr("outside ASCII"));
}

TEST(Endpoint, APasswordInTheUrlIsRefusedAndNotRepeated) {
  const auto detail = problem(parse("https://user:hunter2@example.com/v1"));
  EXPECT_THAT(detail, HasSubstr("key_env"));
  EXPECT_THAT(detail, Not(HasSubstr("hunter2")));
}

TEST(Endpoint, ReadsTheKeyFromItsVariable) {
  ::unsetenv("LICHEN_TEST_KEY");
  EXPECT_THAT(problem(parse("https://example.com/v1", "LICHEN_TEST_KEY")), HasSubstr("is not set"));
  ::setenv("LICHEN_TEST_KEY", "", 1);
  EXPECT_THAT(problem(parse("https://example.com/v1", "LICHEN_TEST_KEY")), HasSubstr("is not set"));
  ::setenv("LICHEN_TEST_KEY", "sk-1\r\nX-Evil: 1", 1);
  const auto detail = problem(parse("https://example.com/v1", "LICHEN_TEST_KEY"));
  EXPECT_THAT(detail, HasSubstr("line breaks"));
  EXPECT_THAT(detail, Not(HasSubstr("sk-1")));
  ::setenv("LICHEN_TEST_KEY", "sk-1", 1);
  EXPECT_EQ(parse("https://example.com/v1", "LICHEN_TEST_KEY")->key, "sk-1");
}

TEST(Endpoint, AKeyGoesUnencryptedOnlyToThisMachine) {
  ::setenv("LICHEN_TEST_KEY", "sk-1", 1);
  EXPECT_THAT(problem(parse("http://10.0.0.7/v1", "LICHEN_TEST_KEY")), HasSubstr("allow_insecure"));
  EXPECT_TRUE(parse("http://10.0.0.7/v1", "LICHEN_TEST_KEY", true));
  EXPECT_TRUE(parse("http://10.0.0.7/v1"));
  for (const auto* local : {"http://127.0.0.1/v1", "http://localhost/v1", "http://[::1]/v1"}) {
    EXPECT_TRUE(parse(local, "LICHEN_TEST_KEY")) << local;
  }
  EXPECT_FALSE(parse("http://localhost.example.com/v1", "LICHEN_TEST_KEY"));
}

}  // namespace
}  // namespace lichen::model
