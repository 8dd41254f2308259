// A server on models with scripted answers, over real sockets: what tests of the API share.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <string>
#include <thread>
#include <vector>

#include "ledger/ledger.h"
#include "mechanisms/scripted_model.h"
#include "policy/config.h"
#include "serving/server.h"
#include "serving/test_client.h"

namespace lichen::serving {

inline std::string long_text(int words) {
  std::string text;
  for (int i = 0; i < words; ++i) text += (i == 0 ? "w" : " w") + std::to_string(i);
  return text;
}

/// What a model answers to a request, by the last word of its prompt.
inline mechanisms::Script respond(const Request& request) {
  const std::string& asked = request.prompt ? *request.prompt : request.messages.back().content;
  if (asked == "fail") return {.error = Error{Errc::upstream, "the endpoint is down"}};
  if (asked == "busy") return {.error = Error{Errc::rate_limited, "slow down", 7}};
  if (asked == "break") {
    return {.text = "one two three",
            .between_tokens = std::chrono::milliseconds(20),
            .error = Error{Errc::upstream, "cut off"},
            .error_after = 2};
  }
  if (asked == "hang") return {.text = "well", .never_ends = true};
  if (asked == "long") return {.text = long_text(30'000)};
  if (asked == "think") {
    return {.text = "so it is", .reasoning = "hm, well"};
  }
  if (asked == "tool") {
    return {.finish = Finish::tool_calls,
            .tool_calls = {{{"id", "c1"},
                            {"type", "function"},
                            {"function", {{"name", "f"}, {"arguments", "{}"}}}}}};
  }
  return {.text = "you said " + asked, .logprob = -0.5F};
}

class ApiTest : public ::testing::Test {
 protected:
  void open_runtime(policy::Config config) {
    const mechanisms::ScriptedModel::Traits traits{
        .context_length = 50'000, .price = Price{.input = 1, .output = 2}, .embedding_width = 4};
    std::vector<ModelPtr> models = {
        std::make_shared<mechanisms::ScriptedModel>("small", respond, traits),
        std::make_shared<mechanisms::ScriptedModel>("large", respond, traits)};
    auto runtime = Runtime::open(std::move(config), io_.get_executor(), {}, std::move(models));
    ASSERT_TRUE(runtime) << runtime.error().detail;
    runtime_ = std::move(*runtime);
  }
  void start(policy::ServeConfig serve = {}) {
    policy::Config config;
    config.file = "test.yaml";
    serve.port = 0;
    config.serve = serve;
    config.serve.plan = "large";
    config.ledger.path = "none";
    open_runtime(std::move(config));
    serve_http(serve);
    server_->ready(*runtime_);
  }
  void serve_http(const policy::ServeConfig& serve) {
    auto server = Server::open(io_, serve, std::chrono::milliseconds(50));
    ASSERT_TRUE(server) << server.error().detail;
    server_ = std::move(*server);
    thread_ = std::thread([this] { server_->run(); });
  }
  void TearDown() override {
    if (server_) server_->stop();
    if (thread_.joinable()) thread_.join();
  }
  int port() const {
    const std::string url = server_->url();
    return std::stoi(url.substr(url.rfind(':') + 1));
  }
  static std::string ask(std::string_view text, std::string_view fields = "") {
    return R"({"messages":[{"role":"user","content":")" + std::string(text) + "\"}]" +
           std::string(fields) + "}";
  }
  TestReply chat(std::string_view text, std::string_view fields = "",
                 std::string_view headers = "") {
    return TestClient(port()).post("/v1/chat/completions", ask(text, fields), headers);
  }
  /// The data of a stream's events, in order.
  static std::vector<std::string> events(std::string_view body) {
    std::vector<std::string> list;
    for (auto at = body.find("data: "); at != body.npos; at = body.find("data: ", at)) {
      at += 6;
      list.emplace_back(body.substr(at, body.find('\n', at) - at));
    }
    return list;
  }
  /// The text that a choice's chunks add up to.
  static std::string text_of(std::string_view body, std::int64_t choice = 0) {
    std::string text;
    for (const auto& event : events(body)) {
      if (event == "[DONE]") continue;
      const boost::json::value chunk = boost::json::parse(event);
      if (!chunk.as_object().contains("choices")) continue;
      for (const auto& entry : chunk.at("choices").as_array()) {
        if (entry.at("index").as_int64() != choice) continue;
        const auto* content = entry.at("delta").as_object().if_contains("content");
        if (content != nullptr) text += std::string_view(content->as_string());
      }
    }
    return text;
  }
  /// The receipt of the only request so far; waits until it is there.
  Receipt receipt() {
    for (;;) {
      if (auto recent = runtime_->ledger().recent(1); recent && !recent->empty()) {
        return recent->front();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  static boost::json::value error_of(const TestReply& reply) {
    return boost::json::parse(reply.body).at("error");
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace lichen::serving
