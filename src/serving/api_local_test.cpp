// The whole server over real sockets, on a local model whose lane and batcher are the real ones.
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <thread>

#include "ledger/ledger.h"
#include "model/scripted_backend.h"
#include "policy/config.h"
#include "serving/server.h"
#include "serving/test_client.h"

namespace lichen::serving {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr model::Backend::Limits kLimits{.cells = 16'384,
                                         .batch = 256,
                                         .outputs = 64,
                                         .sequences = 16,
                                         .train_length = 16'384,
                                         .embedding = 4};

/// Tokens, with the prompt, after which an answer ends.
constexpr int kShort = 60;
constexpr int kEndless = 1 << 30;

/// What the model says to a chat of one user message: the script, asked token by token.
std::string expected_answer(const std::string& message) {
  const auto script = model::hashing_script(kShort);
  const std::string prompt = "user: " + message + "\n";
  std::vector<Token> tokens;
  for (const char byte : prompt) tokens.push_back(static_cast<unsigned char>(byte));
  std::string answer;
  for (Token next = script(tokens); next != model::ByteVocabulary::kEnd; next = script(tokens)) {
    tokens.push_back(next);
    answer += static_cast<char>(next);
  }
  return answer;
}

/// More threads than one for I/O, and the lane's: what a sanitizer should look at.
class ApiOnALocalModelTest : public ::testing::Test {
 protected:
  void start(int answer_length) {
    model_ = model::make_scripted_local_model(
        "model", std::make_shared<model::Lane>("test"),
        std::make_unique<model::ScriptedBackend>(kLimits, model::hashing_script(answer_length)));
    policy::Config config;
    config.file = "test.yaml";
    config.ledger.path = "none";
    auto runtime = Runtime::open(std::move(config), io_.get_executor(), {}, {model_});
    ASSERT_TRUE(runtime) << runtime.error().detail;
    runtime_ = std::move(*runtime);
    auto server = Server::open(io_, {.port = 0, .io_threads = 2}, 50ms);
    ASSERT_TRUE(server) << server.error().detail;
    server_ = std::move(*server);
    server_->ready(*runtime_);
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
  static std::string ask(const std::string& message, bool stream) {
    return TestClient::post_text("/v1/chat/completions",
                                 R"({"messages":[{"role":"user","content":")" + message +
                                     R"("}],"stream":)" + (stream ? "true}" : "false}"));
  }
  /// The answer's text; empty when the stream did not end as it should.
  static std::string streamed_text(const TestReply& reply) {
    std::string text;
    for (auto at = reply.body.find("data: "); at != reply.body.npos;
         at = reply.body.find("data: ", at)) {
      at += 6;
      const std::string event = reply.body.substr(at, reply.body.find('\n', at) - at);
      if (event == "[DONE]") return text;
      const auto delta = json::parse(event).at("choices").at(0).at("delta");
      if (const auto* content = delta.as_object().if_contains("content")) {
        text += std::string_view(content->as_string());
      }
    }
    return "";
  }
  /// What one client gets for its message.
  std::string answer(const std::string& message, bool stream) {
    TestClient client(port());
    client.send(ask(message, stream));
    const TestReply reply = client.read();
    if (reply.status != 200 || !reply.whole) return reply.body;
    if (stream) return streamed_text(reply);
    const auto choice = json::parse(reply.body).at("choices").at(0);
    return std::string(choice.at("message").at("content").as_string());
  }

  boost::asio::io_context io_{1};
  std::shared_ptr<model::LocalModel> model_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(ApiOnALocalModelTest, StreamsWhatTheWholeReplySays) {
  start(kShort);
  const std::string expected = expected_answer("hi");
  ASSERT_GT(expected.size(), 40U);
  EXPECT_EQ(answer("hi", true), expected);
  EXPECT_EQ(answer("hi", false), expected);
}

TEST_F(ApiOnALocalModelTest, AClientThatLeavesInMidStreamFreesItsSequence) {
  start(kEndless);
  {
    TestClient client(port());
    client.send(ask("hi", true));
    std::string seen;
    ASSERT_TRUE(client.read_until(R"({"content":")", seen));
    EXPECT_EQ(model_->stats().sessions, 1);
  }
  while (model_->stats().sessions > 0) std::this_thread::sleep_for(1ms);
  std::vector<Receipt> receipts;
  while (receipts.empty()) receipts = runtime_->ledger().recent(1).value();
  EXPECT_EQ(receipts.front().error, "cancelled");
}

TEST_F(ApiOnALocalModelTest, ManyClientsAtOnceGetTheirOwnAnswersWhole) {
  constexpr std::size_t kClients = 64;
  start(kShort);
  std::vector<std::string> answers(kClients);
  {
    std::vector<std::jthread> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.emplace_back(
          [this, i, &answers] { answers[i] = answer("client " + std::to_string(i), i % 2 == 0); });
    }
  }
  for (std::size_t i = 0; i < kClients; ++i) {
    EXPECT_EQ(answers[i], expected_answer("client " + std::to_string(i)));
  }
  EXPECT_EQ(model_->stats().sessions, 0);
}

}  // namespace
}  // namespace lichen::serving
