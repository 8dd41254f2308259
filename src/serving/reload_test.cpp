// A running server takes up another configuration.
#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>

#include "serving/api_fixture.h"
#include "serving/reloader.h"

namespace lichen::serving {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kNoLedger = "\nledger: {path: none}\n";

class ReloadTest : public ApiTest {
 protected:
  ReloadTest()
      : folder_(fs::path(testing::TempDir()) / ("lichen_reload_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~ReloadTest() override { fs::remove_all(folder_); }

  void start_with(const std::string& yaml) {
    const auto config = parse(yaml);
    open_runtime(config);
    serve_http(config.serve);
    server_->ready(*runtime_);
  }
  static policy::Config parse(const std::string& yaml) {
    auto config = policy::parse_config(yaml + std::string(kNoLedger), "f.yaml");
    EXPECT_TRUE(config) << config.error().detail;
    return *std::move(config);
  }
  Result<policy::ReloadReport> take_up(const std::string& yaml) {
    const auto config = parse(yaml);
    return server_->take_up(config, config.serve);
  }
  void write(const std::string& yaml) const {
    std::ofstream(folder_ / "new") << yaml << kNoLedger;
    fs::rename(folder_ / "new", folder_ / "lichen.yaml");
  }
  std::string metrics() { return TestClient(port()).get("/metrics").body; }
  TestReply ask_model(const std::string& model) {
    return chat("hi", ",\"model\":\"" + model + "\"");
  }
  static void wait_for(const std::function<bool()>& condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  const fs::path folder_;
};

TEST_F(ReloadTest, NewRequestsAreAnsweredByTheNewConfiguration) {
  start_with("plans: {p: small}\nserve: {port: 0, plan: p, max_tokens: 10}");
  EXPECT_EQ(ask_model("p").status, 200);
  EXPECT_EQ(ask_model("q").status, 404);
  EXPECT_EQ(chat("hi", ",\"max_tokens\":11").status, 400);
  const auto report =
      take_up("plans: {p: small, q: large}\nserve: {port: 0, plan: q, max_tokens: 20}");
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(to_string(*report),
            "models: `small`, `large` kept; plans: `q` added, `p` kept; "
            "`serve` changed");
  EXPECT_EQ(ask_model("q").status, 200);
  EXPECT_EQ(chat("hi", ",\"max_tokens\":11").status, 200);
  EXPECT_THAT(chat("hi").body, HasSubstr("\"model\":\"q\""));
}

TEST_F(ReloadTest, PagesAndHostsMayAskOnceTheyAreNamed) {
  start_with("plans: {p: small}\nserve: {port: 0}");
  const std::string page = "Origin: https://app.example\r\n";
  const auto models = [&](const std::string& headers) {
    return TestClient(port()).get("/v1/models", headers);
  };
  const auto from = [&](const std::string& host) {
    TestClient client(port());
    client.send("GET /health HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.read().status;
  };
  EXPECT_EQ(models(page).status, 403);
  EXPECT_EQ(from("lichen.internal"), 403);
  ASSERT_TRUE(
      take_up("plans: {p: small}\n"
              "serve: {port: 0, hosts: [lichen.internal], origins: ['https://app.example']}"));
  EXPECT_EQ(from("lichen.internal"), 200);
  EXPECT_EQ(from("other.internal"), 403);
  const auto listed = models(page);
  EXPECT_EQ(listed.status, 200);
  EXPECT_EQ(listed.headers.at("access-control-allow-origin"), "https://app.example");
  EXPECT_EQ(listed.headers.at("vary"), "Origin");
  EXPECT_FALSE(models("").headers.contains("access-control-allow-origin"));
  EXPECT_EQ(models("Origin: https://evil.example\r\n").status, 403);

  TestClient client(port());
  for (int i = 0; i < 2; ++i) {
    client.send("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + page +
                "Access-Control-Request-Method: POST\r\n"
                "Access-Control-Request-Headers: authorization\r\n\r\n");
    const auto preflight = client.read();
    EXPECT_EQ(preflight.status, 200);
    EXPECT_EQ(preflight.headers.at("access-control-allow-headers"), "authorization");
    EXPECT_EQ(preflight.headers.at("access-control-allow-origin"), "https://app.example");
  }
}

TEST_F(ReloadTest, ATurnEndsWithTheRuntimeThatItBeganWith) {
  start_with("plans: {p: small}\nserve: {port: 0}");
  const std::weak_ptr<Runtime> first = server_->runtime();
  TestClient client(port());
  client.send(
      TestClient::post_text("/v1/chat/completions", ask("hang", R"(,"model":"p","stream":true)")));
  std::string seen;
  ASSERT_TRUE(client.read_until("well", seen));
  ASSERT_TRUE(take_up("plans: {q: large}\nserve: {port: 0}"));
  EXPECT_EQ(ask_model("p").status, 404);
  EXPECT_EQ(ask_model("q").status, 200);
  EXPECT_FALSE(first.expired()) << "its turn still runs";
  client.close();
  wait_for([&] { return first.expired(); });
}

TEST_F(ReloadTest, WhatIsWrongChangesNothing) {
  start_with("plans: {p: small}\nserve: {port: 0}");
  const auto before = server_->runtime();
  for (const auto& [yaml, why] : std::vector<std::pair<std::string, std::string>>{
           {"plans: {p: smal}\nserve: {port: 0}", "f.yaml:1"},
           {"plans: {p: small}\nserve: {port: 0, plan: q}", "no plan or model `q`"},
           {"plans: {p: small}\nserve: {port: 1}", "f.yaml:2: `port` of `serve` cannot change"},
           {"plans: {p: small}\nserve: {port: 0, host: localhost}", "`host` of `serve`"},
           {"plans: {p: small}\nserve: {port: 0, io_threads: 2}", "restart"},
           {"plans: {p: small}\nserve: {port: 0, api_key_env: LICHEN_NOT_SET}",
            "LICHEN_NOT_SET"}}) {
    const auto report = take_up(yaml);
    ASSERT_FALSE(report) << yaml;
    EXPECT_EQ(report.error().code, Errc::bad_config);
    EXPECT_THAT(report.error().detail, HasSubstr(why));
  }
  EXPECT_EQ(server_->runtime(), before);
  EXPECT_EQ(ask_model("p").status, 200);
}

TEST_F(ReloadTest, AKeyIsAskedForFromNowOn) {
  start_with("plans: {p: small}\nserve: {port: 0}");
  setenv("LICHEN_RELOAD_KEY", "s3cret", 1);
  ASSERT_TRUE(take_up("plans: {p: small}\nserve: {port: 0, api_key_env: LICHEN_RELOAD_KEY}"));
  EXPECT_EQ(ask_model("p").status, 401);
  EXPECT_EQ(chat("hi", "", "Authorization: Bearer s3cret\r\n").status, 200);
}

TEST_F(ReloadTest, MetricsFollowTheConfiguration) {
  start_with("plans: {p: {auto: {of: [small, large], explore: 0}}}\nserve: {port: 0}");
  EXPECT_THAT(metrics(), HasSubstr("lichen_auto_chosen_total{arm=\"small\",plan=\"p\"}"));
  ASSERT_TRUE(take_up("plans: {q: {auto: {of: [small, large], explore: 0}}}\nserve: {port: 0}"));
  const std::string text = metrics();
  EXPECT_THAT(text, Not(HasSubstr("plan=\"p\"")));
  const std::string series = "lichen_auto_chosen_total{arm=\"small\",plan=\"q\"}";
  ASSERT_THAT(text, HasSubstr(series));
  EXPECT_EQ(text.find(series), text.rfind(series)) << "twice";
}

TEST_F(ReloadTest, AFileThatIsWatchedIsLoadedWhenItChanges) {
  write("plans: {p: small}\nserve: {port: 0, watch: true}");
  const auto load = [this] { return policy::load_config(folder_ / "lichen.yaml"); };
  const auto config = load();
  ASSERT_TRUE(config) << config.error().detail;
  open_runtime(*config);
  serve_http(config->serve);
  std::atomic<int> done = 0, failed = 0;
  Reloader reloader(*server_, io_, *config,
                    {.load = load,
                     .serve = [](const policy::Config& read) { return read.serve; },
                     .done = [&](const auto& report) { ++(report ? done : failed); },
                     .interval = std::chrono::milliseconds(5)});
  server_->on_reload([&] { return reloader.reload(); });
  server_->ready(*runtime_);
  reloader.start();
  write("plans: {q: small}\nserve: {port: 0, watch: true}");
  wait_for([&] { return done == 1; });
  EXPECT_EQ(ask_model("q").status, 200);
  write("plans: {r: smal}\nserve: {port: 0, watch: true}");
  wait_for([&] { return failed == 1; });
  EXPECT_EQ(ask_model("q").status, 200);
  EXPECT_FALSE(server_->reload());
  EXPECT_THAT(metrics(), HasSubstr("lichen_reloads_total{result=\"done\"} 1"));
  EXPECT_THAT(metrics(), HasSubstr("lichen_reloads_total{result=\"failed\"} 2"));
  write("plans: {r: small}\nserve: {port: 0}");
  wait_for([&] { return done == 2; });
  EXPECT_EQ(ask_model("r").status, 200);
  reloader.request();
  wait_for([&] { return done == 3; });
  // Its threads use it.
  server_->stop();
  thread_.join();
}

TEST_F(ReloadTest, HealthSaysThatTheServerEnds) {
  policy::Config config = parse("plans: {p: small}\nserve: {port: 0}");
  const policy::ServeConfig serve = config.serve;
  open_runtime(std::move(config));
  auto server = Server::open(io_, serve, std::chrono::minutes(10));
  ASSERT_TRUE(server);
  server_ = std::move(*server);
  server_->ready(*runtime_);
  thread_ = std::thread([this] { server_->run(); });
  TestClient client(port());
  client.send("GET /health HTTP/1.1\r\nHost: ");
  wait_for([this] { return metrics().find("lichen_connections 2") != std::string::npos; });
  server_->stop();
  wait_for([this] {  // nobody new is let in
    try {
      return TestClient(port()).get("/health").status == 0;
    } catch (const boost::system::system_error&) {
      return true;
    }
  });
  client.send("localhost\r\n\r\n");
  const auto reply = client.read();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, R"({"status":"draining"})");
  EXPECT_EQ(reply.headers.at("connection"), "close");
}

TEST_F(ReloadTest, TheLogHasNoKeys) {
  testing::internal::CaptureStdout();  // where it goes unless somebody says otherwise
  setenv("LICHEN_LOG_KEY", "sk-right", 1);
  start_with("plans: {p: small}\nserve: {port: 0, api_key_env: LICHEN_LOG_KEY}");
  TestClient(port()).post("/v1/chat/completions?api_key=sk-query", ask("hi"),
                          "Authorization: Bearer sk-right\r\n");
  TestClient(port()).post("/v1/chat/completions", ask("hi"), "Authorization: Bearer sk-wrong\r\n");
  TestClient(port()).post("/v1/messages", ask("sk-body"), "x-api-key: sk-right\r\n");
  TestClient(port()).get("/v1/models/p?key=sk-query",
                         "x-api-key: sk-right\r\n"
                         "x-request-id: sk-id\r\n");
  TestClient(port()).get("/none?key=sk-query", "Cookie: sk-cookie\r\n");
  server_->stop();
  thread_.join();
  const std::string log = testing::internal::GetCapturedStdout();
  EXPECT_THAT(log, HasSubstr("/v1/models/p 200"));
  EXPECT_THAT(log, Not(HasSubstr("sk-")));
}

}  // namespace
}  // namespace lichen::serving
