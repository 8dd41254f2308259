#include "eval/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <map>
#include <thread>

#include "policy/config.h"

namespace lichen::eval {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;

/// What a scripted model does with a prompt: who writes how many tokens of which text, or an error.
struct Script {
  std::string text;
  std::vector<Stretch> authors;
  std::vector<std::string> steps;  // models that took part, used or not
  std::optional<Errc> error = {};
};

class ScriptedModel : public Model {
 public:
  ScriptedModel(std::string name, std::map<std::string, Script> scripts)
      : name_(std::move(name)), scripts_(std::move(scripts)) {}

  const std::string& name() const override { return name_; }
  bool local() const override { return true; }
  std::int64_t context_length() const override { return 100; }
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    const int now = ++in_flight;
    if (now > most_in_flight) most_in_flight = now;
    ++calls;
    asio::steady_timer timer(co_await asio::this_coro::executor, takes);
    co_await timer.async_wait(asio::use_awaitable);
    --in_flight;
    if (auto stopped = turn.stopped()) co_return std::unexpected(*stopped);
    const Script& script = scripts_.at(request.messages.back().content);
    for (const auto& model : script.steps) {
      turn.receipt.steps.push_back({.model = model, .role = "answer"});
    }
    if (script.error) co_return fail(*script.error, "as scripted");
    co_return Answer{.text = script.text, .authors = script.authors};
  }
  awaitable<Result<Embeddings>> embed(std::vector<std::string>, Turn&) override {
    co_return fail(Errc::unsupported, "scripted");
  }

  std::chrono::milliseconds takes{0};
  std::atomic<int> calls = 0, in_flight = 0, most_in_flight = 0;

 private:
  const std::string name_;
  const std::map<std::string, Script> scripts_;
};

class MeasureTest : public testing::Test {
 protected:
  void SetUp() override {
    model_ = std::make_shared<ScriptedModel>(
        "mixed", std::map<std::string, Script>{
                     {"easy", {"yes", {{"small", 3, 3}}, {"small"}}},
                     {"hard", {"yes", {{"small", 2, 1}, {"large", 3, 2}}, {"small", "large"}}},
                     {"vain", {"no", {{"small", 2, 2}}, {"small", "large"}}},
                     {"dead", {"", {}, {"large"}, Errc::upstream}}});
    policy::Config config;
    config.ledger.path = "none";
    auto runtime = Runtime::open(std::move(config), io_.get_executor(), {}, {model_});
    ASSERT_TRUE(runtime) << runtime.error().detail;
    runtime_ = std::move(*runtime);
    for (const auto* prompt : {"easy", "hard", "vain", "dead"}) {
      suite_.tasks.push_back(
          {.id = prompt, .prompt = prompt, .reference = "yes", .check = *find_check("exact")});
    }
    thread_ = std::jthread([this] { io_.run(); });
  }
  void TearDown() override {
    guard_.reset();
    thread_ = {};  // joined while the model and the runtime are still there
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  std::shared_ptr<ScriptedModel> model_;
  std::unique_ptr<Runtime> runtime_;
  Suite suite_{.name = "four", .tasks = {}};
  std::jthread thread_;
};

TEST_F(MeasureTest, CountsRightLargeAndFailed) {
  std::vector<std::size_t> done;
  const auto report =
      measure(*runtime_, io_.get_executor(), suite_,
              {.plans = {"mixed"},
               .large = {"large"},
               .progress = [&](std::string_view plan, std::size_t now, std::size_t total) {
                 EXPECT_EQ(plan, "mixed");
                 EXPECT_EQ(total, 4u);
                 done.push_back(now);
               }});
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->suite, "four");
  ASSERT_EQ(report->rows.size(), 1u);
  const Row& row = report->rows[0];
  EXPECT_EQ(row.plan, "mixed");
  EXPECT_EQ(row.n, 4);
  EXPECT_DOUBLE_EQ(row.accuracy, 0.5);
  EXPECT_DOUBLE_EQ(row.large_request_share, 0.75);
  EXPECT_DOUBLE_EQ(row.large_token_share, 0.3);
  EXPECT_EQ(row.failures, 1);
  EXPECT_TRUE(row.p50_ms && row.p95_ms && *row.p50_ms <= *row.p95_ms);
  EXPECT_GT(row.tokens_per_s, 0);
  EXPECT_THAT(done, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(model_->calls, 5) << "four measured requests and the warm-up";
}

TEST_F(MeasureTest, AllFailedHasNoLatency) {
  suite_.tasks = {suite_.tasks[3]};
  const auto report = measure(*runtime_, io_.get_executor(), suite_, {.plans = {"mixed"}});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->rows[0].failures, 1);
  EXPECT_EQ(report->rows[0].p50_ms, std::nullopt);
  EXPECT_EQ(report->rows[0].accuracy, 0);
}

TEST_F(MeasureTest, KeepsToTheConcurrency) {
  model_->takes = std::chrono::milliseconds(20);  // longer than it takes to start three
  const auto report = measure(*runtime_, io_.get_executor(), suite_,
                              {.plans = {"mixed", "mixed"}, .concurrency = 3});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->rows.size(), 2u);
  EXPECT_EQ(report->rows[1].n, 4);
  EXPECT_EQ(model_->most_in_flight, 3);
}

TEST_F(MeasureTest, StopsWhenAsked) {
  std::stop_source stop;
  const auto report = measure(*runtime_, io_.get_executor(), suite_,
                              {.plans = {"mixed"},
                               .progress = [&](auto, std::size_t, auto) { stop.request_stop(); },
                               .stop = stop.get_token()});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::cancelled);
  EXPECT_EQ(model_->calls, 2) << "the warm-up and the first";
}

TEST_F(MeasureTest, RefusesWhatCannotBeMeasured) {
  const auto measured = [&](MeasureOptions options) {
    return measure(*runtime_, io_.get_executor(), suite_, std::move(options));
  };
  EXPECT_EQ(measured({.plans = {"absent"}}).error().code, Errc::not_found);
  EXPECT_EQ(measured({.plans = {}}).error().code, Errc::bad_request);
  EXPECT_EQ(measured({.plans = {"mixed"}, .concurrency = 0}).error().code, Errc::bad_request);
  EXPECT_EQ(model_->calls, 0);
}

policy::ModelConfig local(std::string name, std::filesystem::path gguf,
                          std::optional<Price> price = {}) {
  model::LocalModelOptions options;
  options.gguf = std::move(gguf);
  options.price = price;
  return {.name = std::move(name), .options = options};
}

policy::ModelConfig remote(std::string name, std::optional<Price> price = {}) {
  model::RemoteModelOptions options;
  options.price = price;
  return {.name = std::move(name), .options = options};
}

std::set<std::string> large_of(std::vector<policy::ModelConfig> models) {
  policy::Config config;
  config.models = std::move(models);
  return large_models(config);
}

TEST(ForMeasuring, NoPlanProfitsFromTheOnesBefore) {
  policy::Config config;
  config.models = {local("a", "a.gguf"), remote("r")};
  config = for_measuring(std::move(config));
  EXPECT_EQ(config.ledger.path, "none");
  const auto& options = std::get<model::LocalModelOptions>(config.models[0].options);
  EXPECT_EQ(options.batcher.prefix_cache_bytes, 0);
}

TEST(LargeModels, NameThenPriceThenRemoteThenSize) {
  const auto folder = std::filesystem::path(testing::TempDir());
  std::ofstream(folder / "a.gguf") << "12";
  std::ofstream(folder / "b.gguf") << "1234";
  const auto a = local("a", folder / "a.gguf"), b = local("b", folder / "b.gguf");
  EXPECT_EQ(large_of({}), std::set<std::string>{});
  EXPECT_EQ(large_of({a}), std::set<std::string>{});
  EXPECT_EQ(large_of({b, a}), std::set<std::string>{"b"});
  EXPECT_EQ(large_of({b, remote("r"), a}), std::set<std::string>{"r"});
  EXPECT_EQ(large_of({remote("r"), local("c", "c", Price{.output = 2}), remote("s")}),
            std::set<std::string>{"c"});
  EXPECT_EQ(large_of({remote("r", Price{.output = 2}), local("large", "c")}),
            std::set<std::string>{"large"});
}

}  // namespace
}  // namespace lichen::eval
