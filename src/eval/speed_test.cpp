#include "eval/speed.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <mutex>
#include <thread>

#include "ledger/ledger.h"
#include "policy/config.h"

namespace lichen::eval {
namespace {

namespace asio = boost::asio;

/// Answers with its prompt, or something else where that holds its name; counts what it was asked.
class Echo : public Model {
 public:
  explicit Echo(std::string name) : name_(std::move(name)) {}
  const std::string& name() const override { return name_; }
  bool local() const override { return true; }
  std::int64_t context_length() const override { return 100; }
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (auto stopped = turn.stopped()) co_return std::unexpected(*stopped);
    const std::string& prompt = request.messages.back().content;
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(prompt + "@" + std::to_string(request.sampling.temperature.value_or(-1)));
    }
    if (prompt.contains("fail")) co_return fail(Errc::upstream, "as scripted");
    co_return Answer{.text = prompt.contains(name_) ? "else" : prompt,
                     .authors = {{.model = name_, .tokens = 5, .bytes = 4}},
                     .completion_tokens = 5,
                     .drafted_tokens = 4,
                     .accepted_tokens = 3};
  }
  awaitable<Result<Embeddings>> embed(std::vector<std::string>, Turn&) override {
    co_return fail(Errc::unsupported, "scripted");
  }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  const std::string name_;
  std::mutex mutex_;
  std::vector<std::string> asked_;  // guarded by mutex_
};

class SpeedTest : public testing::Test {
 protected:
  void SetUp() override {
    policy::Config config;
    config.ledger.path = "none";
    auto runtime = Runtime::open(std::move(config), io_.get_executor(), {}, {plain_, fast_});
    ASSERT_TRUE(runtime) << runtime.error().detail;
    runtime_ = std::move(*runtime);
    for (const auto* prompt : {"one", "two", "of fast", "four", "five"}) {
      suite_.tasks.push_back({.prompt = prompt, .reference = {}});
    }
    thread_ = std::jthread([this] { io_.run(); });
  }
  void TearDown() override {
    guard_.reset();
    thread_ = {};
  }
  Result<std::vector<SpeedCell>> compared(const SpeedOptions& options) {
    return compare_speed(*runtime_, io_.get_executor(), suite_, options);
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  std::shared_ptr<Echo> plain_ = std::make_shared<Echo>("plain");
  std::shared_ptr<Echo> fast_ = std::make_shared<Echo>("fast");
  std::unique_ptr<Runtime> runtime_;
  Suite suite_ = {.name = "five", .tasks = {}};
  std::jthread thread_;
};

TEST_F(SpeedTest, HasACellForEachLoad) {
  std::size_t done = 0, total = 0;
  const auto cells = compared({.plain = "plain",
                               .plans = {"fast"},
                               .requests = {1, 2},
                               .temperatures = {0, 0.5},
                               .progress = [&](std::string_view, std::size_t now, std::size_t all) {
                                 done = now;
                                 total = all;
                               }});
  ASSERT_TRUE(cells) << cells.error().detail;
  ASSERT_EQ(cells->size(), 4U);
  EXPECT_EQ(total, 2U * (5 + 3)) << "five groups of one, three of two";
  EXPECT_EQ(done, total);
  const SpeedCell& cell = cells->at(1);
  EXPECT_EQ(cell.plan, "fast");
  EXPECT_EQ(cell.requests, 2);
  EXPECT_EQ(cells->at(2).temperature, 0.5);
  EXPECT_EQ(cell.answers, 5);
  EXPECT_EQ(cell.same, 4) << "one answer is another";
  EXPECT_EQ(cell.tokens, 25);
  EXPECT_EQ(cell.drafted, 20);
  EXPECT_EQ(cell.accepted_share(), 0.75);
  EXPECT_GT(cell.turn_ratio, 0);
  EXPECT_GT(cell.turn_tokens_per_second, 0);
  ASSERT_EQ(cell.texts.size(), 5U);
  EXPECT_NE(cell.texts[3].find("four"), std::string::npos) << cell.texts[3];
}

TEST_F(SpeedTest, AsksBothTheSameButForAFirstGroup) {
  ASSERT_TRUE(
      compared({.plain = "plain", .plans = {"fast"}, .requests = {2}, .temperatures = {0}}));
  auto plain = plain_->asked(), fast = fast_->asked();
  ASSERT_EQ(plain.size(), 5U);
  ASSERT_EQ(fast.size(), 7U);
  fast.erase(fast.begin(), fast.begin() + 2);
  std::ranges::sort(plain);
  std::ranges::sort(fast);
  EXPECT_EQ(plain, fast);
  EXPECT_TRUE(plain.front().ends_with("@0.000000"));
}

TEST_F(SpeedTest, AFailureAndACancellationAreErrors) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(compared({.plain = "plain", .plans = {"fast"}, .stop = stop.get_token()}).error().code,
            Errc::cancelled);
  suite_.tasks[3].prompt = "fail";
  EXPECT_EQ(compared({.plain = "plain", .plans = {"fast"}}).error().code, Errc::upstream);
}

}  // namespace
}  // namespace lichen::eval
