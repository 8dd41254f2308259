// Virtual keys over real sockets: who is let in, what he may ask and how much, and who administers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "serving/api_fixture.h"

namespace lichen::serving {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
using testing::HasSubstr;

class ApiKeysTest : public ApiTest {
 protected:
  static constexpr const char* kAdmin = "Authorization: Bearer b0ss\r\n";

  void SetUp() override {
    setenv("LICHEN_TEST_ADMIN", "b0ss", 1);
    setenv("LICHEN_TEST_MASTER", "m4ster", 1);
    start(
        {.api_key_env = "LICHEN_TEST_MASTER", .admin_key_env = "LICHEN_TEST_ADMIN", .keys = true});
  }
  TestReply request(std::string_view method, std::string_view path, std::string_view body = "",
                    std::string_view headers = kAdmin) {
    TestClient client(port());
    client.send(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" +
                std::string(headers) + "Content-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + std::string(body));
    return client.read();
  }
  /// A new key, as its header.
  std::string make(std::string_view fields) {
    const auto made =
        request("POST", "/v1/admin/keys", R"({"name":"test")" + std::string(fields) + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    const auto body = json::parse(made.body);
    id_ = body.at("id").as_string();
    return "Authorization: Bearer " + std::string(body.at("key").as_string()) + "\r\n";
  }
  json::value used() {
    return json::parse(request("GET", "/v1/admin/keys/" + id_).body).at("used");
  }

  std::string id_;  // of the key that was made last
};

TEST_F(ApiKeysTest, AKeyIsMadeUsedShownAndRevoked) {
  const std::string key = make(R"(,"budget_usd":1,"period":"day")");
  EXPECT_EQ(chat("hi", "", key).status, 200);
  EXPECT_EQ(receipt().key, id_);
  // 1 token at $1 and 3 at $2 a million.
  EXPECT_EQ(used(), json::value({{"requests", 1}, {"tokens", 4}, {"usd", 7e-6}}));
  const auto list = json::parse(request("GET", "/v1/admin/keys").body).at("data");
  ASSERT_EQ(list.as_array().size(), 1U);
  EXPECT_EQ(list.at(0).at("name"), "test");
  EXPECT_EQ(list.at(0).at("period"), "day");
  EXPECT_FALSE(list.at(0).as_object().contains("hash"));
  EXPECT_FALSE(list.at(0).as_object().contains("key"));
  EXPECT_EQ(request("DELETE", "/v1/admin/keys/" + id_).status, 200);
  EXPECT_EQ(chat("hi", "", key).status, 401);
}

TEST_F(ApiKeysTest, WhoMayDoWhat) {
  const std::string key = make("");
  const std::string master = "Authorization: Bearer m4ster\r\n";
  EXPECT_EQ(chat("hi").status, 401);
  EXPECT_EQ(chat("hi", "", master).status, 200);
  EXPECT_EQ(chat("hi", "", kAdmin).status, 200);
  EXPECT_EQ(TestClient(port()).get("/metrics", key).status, 403);
  EXPECT_EQ(TestClient(port()).get("/metrics", master).status, 200);
  for (const std::string& header : {key, master}) {
    const auto refused = request("GET", "/v1/admin/keys", "", header);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(error_of(refused).at("code"), "forbidden");
  }
  EXPECT_EQ(request("GET", "/v1/admin/keys", "", "").status, 401);
  EXPECT_EQ(request("PUT", "/v1/admin/keys").headers.at("allow"), "GET, HEAD, POST");
}

TEST_F(ApiKeysTest, ThePlansThatItMayAsk) {
  const std::string key = make(R"(,"plans":["small"])");
  EXPECT_EQ(chat("hi", R"(,"model":"small")", key).status, 200);
  const auto refused = chat("hi", R"(,"model":"large")", key);
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(error_of(refused).at("code"), "model_not_found");
  EXPECT_EQ(chat("hi", "", key).status, 404);  // the default, which is large
  // Nor does it learn what else there is.
  const auto unknown = chat("hi", R"(,"model":"larg")", key);
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, testing::Not(HasSubstr("large")));
  EXPECT_THAT(
      TestClient(port()).post("/v1/embeddings", R"({"model":"larg","input":"a"})", key).body,
      testing::Not(HasSubstr("large")));
  const auto list = json::parse(TestClient(port()).get("/v1/models", key).body).at("data");
  ASSERT_EQ(list.as_array().size(), 1U);
  EXPECT_EQ(list.at(0).at("id"), "small");
  EXPECT_EQ(TestClient(port()).get("/v1/models/large", key).status, 404);
  EXPECT_EQ(
      TestClient(port()).post("/v1/embeddings", R"({"model":"large","input":"a"})", key).status,
      404);
}

TEST_F(ApiKeysTest, CountingTokensIsARequest) {
  const std::string key = make(R"(,"requests_per_minute":1)");
  const auto count = [&] {
    return TestClient(port())
        .post("/v1/messages/count_tokens",
              R"({"model":"small","messages":[{"role":"user","content":"hi"}]})", key)
        .status;
  };
  EXPECT_EQ(count(), 200);
  EXPECT_EQ(count(), 429);
}

TEST_F(ApiKeysTest, AKeySeesItsOwnReceiptsAlone) {
  const std::string mine = make("");
  const std::string other = make("");
  const std::string id = chat("hi", "", mine).headers.at("x-lichen-receipt");
  const auto see = [&](const std::string& header) {
    return TestClient(port()).get("/v1/receipts/" + id, header).status;
  };
  const auto rate = [&](const std::string& header) {
    return TestClient(port())
        .post("/v1/feedback", R"({"receipt":")" + id + R"(","score":1})", header)
        .status;
  };
  EXPECT_EQ(see(other), 404);
  EXPECT_EQ(rate(other), 404);
  EXPECT_EQ(see(mine), 200);
  EXPECT_EQ(rate(mine), 200);
  EXPECT_EQ(see(kAdmin), 200);
}

TEST_F(ApiKeysTest, RequestsAMinute) {
  const std::string key = make(R"(,"requests_per_minute":2)");
  EXPECT_EQ(chat("hi", "", key).status, 200);
  EXPECT_EQ(chat("hi", "", key).status, 200);
  const auto refused = chat("hi", "", key);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(error_of(refused).at("type"), "rate_limit_error");
  EXPECT_EQ(refused.headers.at("retry-after"), "30");
  EXPECT_EQ(chat("hi", "", make("")).status, 200);  // each has its own
}

TEST_F(ApiKeysTest, TokensAMinute) {
  const std::string key = make(R"(,"tokens_per_minute":2000)");
  EXPECT_EQ(chat("hi", R"(,"max_tokens":1500)", key).status, 200);
  EXPECT_EQ(chat("hi", R"(,"max_tokens":1500)", key).status, 200);  // the first used few
  EXPECT_EQ(used().at("tokens"), 8);
}

TEST_F(ApiKeysTest, OneAfterTheOtherIsOneAtOnce) {
  const std::string key = make(R"(,"requests_at_once":1)");
  TestClient client(port());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.post("/v1/chat/completions", ask("hi"), key).status, 200);
    EXPECT_EQ(client.post("/v1/chat/completions", ask("hi", R"(,"stream":true)"), key).status, 200);
  }
  TestClient hanging(port());
  hanging.send(
      TestClient::post_text("/v1/chat/completions", ask("hang", R"(,"stream":true)"), key));
  std::string seen;
  ASSERT_TRUE(hanging.read_until("well", seen));
  const auto refused = client.post("/v1/chat/completions", ask("hi"), key);
  EXPECT_EQ(refused.status, 429);
  hanging.close();
  for (int i = 0; i < 1'000; ++i) {  // until the server has noticed
    if (client.post("/v1/chat/completions", ask("hi"), key).status == 200) return;
    std::this_thread::sleep_for(10ms);
  }
  FAIL() << "the place of a client that left stays taken";
}

TEST_F(ApiKeysTest, ABudgetThatIsSpentLetsNothingThrough) {
  const std::string key = make(R"(,"budget_usd":0.00001,"period":"month")");
  EXPECT_EQ(chat("hi", "", key).status, 200);  // $0.000007
  EXPECT_EQ(chat("hi", R"(,"stream":true)", key).status, 200);
  const auto refused = chat("hi", "", key);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(error_of(refused).at("code"), "insufficient_quota");
  EXPECT_EQ(refused.headers.at("x-should-retry"), "false");
  EXPECT_THAT(refused.body, HasSubstr("a month is spent until"));
  EXPECT_EQ(request("PATCH", "/v1/admin/keys/" + id_, R"({"budget_usd":null})").status, 200);
  EXPECT_EQ(chat("hi", "", key).status, 200);
}

TEST_F(ApiKeysTest, ChangesLeaveTheRestAsItWas) {
  make(R"(,"plans":["small"],"requests_per_minute":5,"budget_usd":2,"expires_in":3600)");
  const auto changed = request("PATCH", "/v1/admin/keys/" + id_,
                               R"({"plans":[],"requests_per_minute":7,"expires_in":null})");
  ASSERT_EQ(changed.status, 200) << changed.body;
  const auto body = json::parse(changed.body);
  EXPECT_EQ(body.at("name"), "test");
  EXPECT_TRUE(body.at("plans").as_array().empty());
  EXPECT_EQ(body.at("requests_per_minute"), 7);
  EXPECT_EQ(body.at("budget_usd"), 2.0);
  EXPECT_TRUE(body.at("expires").is_null());
}

TEST_F(ApiKeysTest, WrongFieldsAreNamedAndChangeNothing) {
  make("");
  const std::pair<std::string_view, std::string_view> wrong[] = {
      {R"({"name":""})", "name"},
      {R"({"name":null})", "name"},
      {R"({"name":"a","plans":["smal"]})", "plans"},
      {R"({"name":"a","plans":"small"})", "plans"},
      {R"({"name":"a","plans":[7]})", "plans"},
      {R"({"name":"a","requests_per_minute":0})", "requests_per_minute"},
      {R"({"name":"a","tokens_per_minute":1.5})", "tokens_per_minute"},
      {R"({"name":"a","requests_at_once":"2"})", "requests_at_once"},
      {R"({"name":"a","budget_usd":-1})", "budget_usd"},
      {R"({"name":"a","period":"year"})", "period"},
      {R"({"name":"a","expires_in":0})", "expires_in"},
      {R"({"name":"a","budget":5})", "budget"}};
  for (const auto& [body, param] : wrong) {
    for (const auto& [method, path] : {std::pair{"POST", std::string("/v1/admin/keys")},
                                       std::pair{"PATCH", "/v1/admin/keys/" + id_}}) {
      const auto reply = request(method, path, body);
      EXPECT_EQ(reply.status, 400) << body;
      EXPECT_EQ(error_of(reply).at("param"), json::string_view(param)) << body;
    }
  }
  EXPECT_EQ(request("POST", "/v1/admin/keys", "{}").status, 400);
  EXPECT_EQ(request("POST", "/v1/admin/keys", "[]").status, 400);
  EXPECT_EQ(request("PATCH", "/v1/admin/keys/key_none", "{}").status, 404);
  EXPECT_EQ(request("DELETE", "/v1/admin/keys/key_none").status, 404);
  EXPECT_EQ(json::parse(request("GET", "/v1/admin/keys").body).at("data").as_array().size(), 1U);
}

TEST_F(ApiTest, WithoutAnAdministratorThereIsNoAdministration) {
  start();
  const auto refused = TestClient(port()).get("/v1/admin/keys");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("admin_key_env"));
}

}  // namespace
}  // namespace lichen::serving
