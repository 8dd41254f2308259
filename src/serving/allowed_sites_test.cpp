#include "serving/allowed_sites.h"

#include <gtest/gtest.h>

#include <map>

namespace lichen::serving {
namespace {

namespace http = boost::beast::http;

HttpRequest request(const std::string& host, const std::string& origin = "",
                    http::verb method = http::verb::post) {
  HttpRequest header(method, "/v1/models", 11);
  header.set(http::field::host, host);
  if (!origin.empty()) header.set(http::field::origin, origin);
  return header;
}

TEST(AllowedSites, OnLoopbackOnlyItsNamesAreServedUnlessOthersAreGiven) {
  const AllowedSites none;
  for (const char* host : {"localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]", "[::1]:80"}) {
    EXPECT_FALSE(check_host(request(host), none, true)) << host;
  }
  for (const char* host : {"example.org", "localhost.example.org", "127.0.0.1.nip.io", ""}) {
    EXPECT_TRUE(check_host(request(host), none, true)) << host;
  }
  const AllowedSites named{.hosts = {"lichen.internal"}};
  EXPECT_FALSE(check_host(request("Lichen.Internal:80"), named, true));
  EXPECT_FALSE(check_host(request("localhost"), named, true));
  EXPECT_TRUE(check_host(request("other.internal"), named, true));
}

TEST(AllowedSites, ElsewhereAnyNameIsServedUnlessSomeAreGiven) {
  EXPECT_FALSE(check_host(request("example.org"), {}, false));
  const AllowedSites named{.hosts = {"lichen.internal"}};
  EXPECT_FALSE(check_host(request("lichen.internal"), named, false));
  EXPECT_TRUE(check_host(request("example.org"), named, false));
}

TEST(AllowedSites, WebPagesOfOthersMayAskOnlyWhereTheyAreNamed) {
  const AllowedSites none;
  EXPECT_TRUE(cross_origin(request("localhost:80"), none));
  EXPECT_TRUE(cross_origin(request("localhost:80", "http://localhost:80"), none));
  EXPECT_FALSE(cross_origin(request("localhost:80", "https://app.example"), none));
  const AllowedSites one{.origins = {"https://app.example"}};
  EXPECT_TRUE(cross_origin(request("localhost", "https://app.example"), one));
  for (const char* other : {"http://app.example", "https://app.example:8443",
                            "https://evil.example", "https://app.example.evil.example", "null"}) {
    EXPECT_FALSE(cross_origin(request("localhost", other), one)) << other;
  }
  const AllowedSites any{.origins = {"*"}};
  EXPECT_TRUE(cross_origin(request("localhost", "null"), any));
}

TEST(AllowedSites, OnlyPagesOfOthersAreToldThatTheyMay) {
  const AllowedSites one{.origins = {"https://app.example"}};
  const auto named = [&](const char* origin) {
    return std::string(cross_origin(request("localhost", origin), one).value());
  };
  EXPECT_EQ(named("https://app.example"), "https://app.example");
  EXPECT_EQ(named("http://localhost"), "");
  EXPECT_EQ(named(""), "");
  EXPECT_TRUE(cors_lines("https://app.example")
                  .starts_with("Access-Control-Allow-Origin: https://app.example\r\n"));
  EXPECT_EQ(cors_lines(""), "");
}

TEST(AllowedSites, PreflightsAreAnswered) {
  auto asks = request("localhost", "https://app.example", http::verb::options);
  EXPECT_FALSE(preflight_answer(asks)) << "it asks for nothing";
  asks.set(http::field::access_control_request_method, "POST");
  asks.set(http::field::access_control_request_headers, "authorization,x-stainless-os");
  asks.set("Access-Control-Request-Private-Network", "true");
  const auto answer = preflight_answer(asks);
  ASSERT_TRUE(answer);
  const std::map<std::string_view, std::string> headers(answer->headers.begin(),
                                                        answer->headers.end());
  EXPECT_EQ(headers.at("Access-Control-Allow-Methods"), "GET, POST, PATCH, DELETE");
  EXPECT_EQ(headers.at("Access-Control-Allow-Headers"), "authorization,x-stainless-os");
  EXPECT_EQ(headers.at("Access-Control-Allow-Private-Network"), "true");
  asks.set(http::field::access_control_request_headers, "a\"b");
  EXPECT_EQ(preflight_answer(asks)->headers.size(), 3U) << "what is no list of names stays away";
  EXPECT_FALSE(preflight_answer(request("localhost", "https://app.example")));
}

}  // namespace
}  // namespace lichen::serving
