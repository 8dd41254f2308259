#include "eval/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <stdexcept>
#include <thread>

#include "eval/busy_clock.h"
#include "eval/report.h"
#include "ledger/ledger.h"
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
  ScriptedModel(std::string name, std::function<Script(const std::string& prompt)> respond)
      : name_(std::move(name)), respond_(std::move(respond)) {}

  const std::string& name() const override { return name_; }
  bool local() const override { return true; }
  std::int64_t context_length() const override { return 100; }
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    const int now = ++in_flight;
    if (now > most_in_flight) most_in_flight = now;
    ++calls;
    last = request;
    streams = turn.streams();
    asio::steady_timer timer(co_await asio::this_coro::executor, takes);
    co_await timer.async_wait(asio::use_awaitable);
    --in_flight;
    if (auto stopped = turn.stopped()) co_return std::unexpected(*stopped);
    const Script script = respond_(request.messages.back().content);
    for (const auto& model : script.steps) {
      turn.receipt.steps.push_back({.model = model, .role = "answer"});
    }
    if (script.error) co_return fail(*script.error, "as scripted");
    co_return Answer{.text = script.text, .authors = script.authors};
  }
  awaitable<Result<Embeddings>> embed(std::vector<std::string>, Turn&) override {
    co_return fail(Errc::unsupported, "scripted");
  }

  Request last;
  bool streams = false;
  std::chrono::milliseconds takes{0};
  std::atomic<int> calls = 0, in_flight = 0, most_in_flight = 0;

 private:
  const std::string name_;
  const std::function<Script(const std::string&)> respond_;
};

const std::map<std::string, Script> kMixed = {
    {"easy", {"yes", {{"small", 3, 3}}, {"small"}}},
    {"hard", {"yes", {{"small", 2, 1}, {"large", 3, 2}}, {"small", "large"}}},
    {"vain", {"no", {{"small", 2, 2}}, {"small", "large"}}},
    {"dead", {"", {}, {"large"}, Errc::upstream}}};

/// Whether the answer within the prompt of prompts/judge.txt is "yes".
Script judge(const std::string& prompt) {
  return {.text = prompt.contains("\n\nAnswer: yes\n") ? "Yes." : "no",
          .authors = {{"judge", 1, 2}},
          .steps = {"judge"}};
}

awaitable<Result<std::vector<float>>> observe(Request request, Turn&) {
  const std::string& prompt = request.messages.back().content;
  if (prompt == "vain") co_return fail(Errc::context_overflow, "as scripted");
  co_return std::vector<float>{static_cast<float>(prompt.size()), 0.1F};
}

class MeasureTest : public testing::Test {
 protected:
  void SetUp() override {
    policy::Config config;
    config.ledger.path = "none";
    auto runtime =
        Runtime::open(std::move(config), io_.get_executor(), {}, {model_, judge_, mute_});
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

  Result<std::vector<Outcome>> measured(MeasureOptions options) {
    return measure(*runtime_, io_.get_executor(), suite_, std::move(options));
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  std::shared_ptr<ScriptedModel> model_ = std::make_shared<ScriptedModel>(
      "mixed", [](const std::string& prompt) { return kMixed.at(prompt); });
  std::shared_ptr<ScriptedModel> judge_ = std::make_shared<ScriptedModel>("judge", judge);
  std::shared_ptr<ScriptedModel> mute_ =
      std::make_shared<ScriptedModel>("mute", [](auto&) { return Script{"Well ...", {}, {}}; });
  std::unique_ptr<Runtime> runtime_;
  Suite suite_{.name = "four", .tasks = {}};
  std::jthread thread_;
};

TEST_F(MeasureTest, HandsOutAnswersWithWhatWasAskedOfThem) {
  std::map<std::size_t, std::string> texts;
  ASSERT_TRUE(measured({.plans = {"mixed"},
                        .top_logprobs = 3,
                        .answered = [&](std::string_view, std::size_t task, const Answer& answer) {
                          texts[task] = answer.text;
                        }}));
  EXPECT_EQ(texts, (std::map<std::size_t, std::string>{{0, "yes"}, {1, "yes"}, {2, "no"}}))
      << "what failed is no answer";
  EXPECT_TRUE(model_->last.logprobs);
  EXPECT_EQ(model_->last.top_logprobs, 3);
}

TEST_F(MeasureTest, GivesChecksAsFeedbackWhereItIsAsked) {
  ASSERT_TRUE(measured({.plans = {"mixed"}}));
  EXPECT_TRUE(runtime_->ledger().ratings(9).value().empty());
  ASSERT_TRUE(measured({.plans = {"mixed"}, .feedback = true}));
  std::vector<double> scores;
  for (const auto& rating : runtime_->ledger().ratings(9).value()) scores.push_back(rating.score);
  EXPECT_THAT(scores, ElementsAre(0, 1, 1)) << "newest first; what failed has no score";
}

TEST_F(MeasureTest, CountsRightLargeAndFailed) {
  std::vector<std::size_t> done;
  const auto outcomes =
      measured({.plans = {"mixed"},
                .large = {"large"},
                .progress = [&](std::string_view plan, std::size_t now, std::size_t total) {
                  EXPECT_EQ(plan, "mixed");
                  EXPECT_EQ(total, 4u);
                  done.push_back(now);
                }});
  ASSERT_TRUE(outcomes) << outcomes.error().detail;
  EXPECT_THAT(done, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(model_->calls, 5) << "four measured requests and the warm-up";
  const auto report = make_report(suite_, {"mixed"}, {.large = {"large"}}, *outcomes);
  EXPECT_EQ(report.suite, "four");
  ASSERT_EQ(report.rows.size(), 1u);
  const Row& row = report.rows[0];
  EXPECT_EQ(row.plan, "mixed");
  EXPECT_EQ(row.n, 4);
  EXPECT_DOUBLE_EQ(row.accuracy, 0.5);
  EXPECT_DOUBLE_EQ(row.large_request_share, 0.75);
  EXPECT_DOUBLE_EQ(row.large_token_share, 0.3);
  EXPECT_EQ(row.failures, 1);
  EXPECT_EQ(row.errors, (std::map<std::string, std::int64_t>{{"upstream", 1}}));
  EXPECT_TRUE(row.p50_ms && row.p95_ms && *row.p50_ms <= *row.p95_ms);
  EXPECT_GT(row.tokens_per_s, 0);
}

TEST_F(MeasureTest, AsksGreedilyForAStream) {
  ASSERT_TRUE(measured({.plans = {"mixed"}, .max_tokens = 7}));
  EXPECT_EQ(model_->last.sampling.temperature, 0.0f);
  EXPECT_EQ(model_->last.max_tokens, 7);
  EXPECT_TRUE(model_->streams) << "or a remote model's first token would be its last";
}

TEST_F(MeasureTest, KeepsToTheConcurrency) {
  model_->takes = std::chrono::milliseconds(20);  // longer than it takes to start three
  const auto outcomes = measured({.plans = {"mixed", "judge"}, .concurrency = 3});
  ASSERT_TRUE(outcomes);
  EXPECT_EQ(outcomes->size(), 8u);
  EXPECT_EQ(model_->most_in_flight, 3);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ((*outcomes)[i].plan, i < 4 ? "mixed" : "judge");
    EXPECT_EQ((*outcomes)[i].task, i % 4) << "whichever was done first";
  }
}

TEST_F(MeasureTest, StopsWhenAsked) {
  std::stop_source stop;
  const auto outcomes = measured({.plans = {"mixed"},
                                  .progress = [&](auto, std::size_t, auto) { stop.request_stop(); },
                                  .stop = stop.get_token()});
  ASSERT_FALSE(outcomes);
  EXPECT_EQ(outcomes.error().code, Errc::cancelled);
  EXPECT_EQ(model_->calls, 2) << "the warm-up and the first";
}

TEST_F(MeasureTest, RefusesWhatCannotBeMeasured) {
  EXPECT_EQ(measured({.plans = {"absent"}}).error().code, Errc::not_found);
  EXPECT_EQ(measured({.plans = {}}).error().code, Errc::bad_request);
  EXPECT_EQ(measured({.plans = {"mixed"}, .concurrency = 0}).error().code, Errc::bad_request);
  EXPECT_EQ(measured({.plans = {"mixed", "mixed"}}).error().code, Errc::bad_request);
  suite_.tasks[2].check = *find_check("judge");
  const auto judgeless = measured({.plans = {"mixed"}});
  EXPECT_EQ(judgeless.error().code, Errc::bad_request);
  EXPECT_THAT(judgeless.error().detail, testing::HasSubstr("--judge"));
  EXPECT_EQ(measured({.plans = {"mixed"}, .judge = "absent"}).error().code, Errc::not_found);
  EXPECT_EQ(model_->calls, 0);
}

TEST_F(MeasureTest, AJudgeDecidesAndCostsNothing) {
  for (Task& task : suite_.tasks) task.check = *find_check("judge");
  const auto outcomes = measured({.plans = {"mixed"}, .large = {"judge"}, .judge = "judge"});
  ASSERT_TRUE(outcomes) << outcomes.error().detail;
  EXPECT_TRUE((*outcomes)[0].right) << "the judge says yes to a yes";
  EXPECT_FALSE((*outcomes)[2].right);
  EXPECT_FALSE((*outcomes)[2].failed());
  EXPECT_EQ((*outcomes)[3].error, "upstream") << "a failed answer is not judged";
  EXPECT_EQ(judge_->calls, 3);
  EXPECT_THAT(judge_->last.messages.back().content,
              testing::StartsWith("vain\n\nAnswer: no\n\nIs this answer right?"));
  for (const Outcome& outcome : *outcomes) EXPECT_FALSE(outcome.asked_large);
}

TEST_F(MeasureTest, AJudgeThatCannotDecideIsAFailure) {
  suite_.tasks = {suite_.tasks[0]};
  suite_.tasks[0].check = *find_check("judge");
  const auto outcomes = measured({.plans = {"mixed"}, .judge = "mute"});
  ASSERT_TRUE(outcomes) << outcomes.error().detail;
  EXPECT_EQ((*outcomes)[0].error, "upstream");
  EXPECT_FALSE((*outcomes)[0].right);
}

TEST_F(MeasureTest, ACheckThatThrowsIsAFailure) {
  const Check broken{
      .name = "broken", .summary = "", .accepts = nullptr, .right = [](auto, auto) -> Result<bool> {
        throw std::runtime_error("no");
      }};
  suite_.tasks[0].check = &broken;
  const auto outcomes = measured({.plans = {"mixed"}});
  ASSERT_TRUE(outcomes);
  EXPECT_EQ((*outcomes)[0].error, "internal");
  EXPECT_TRUE((*outcomes)[1].right);
}

TEST_F(MeasureTest, AnObserversNumbersStandInTheOutcomesAndInTheJournal) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("measure_test_observer_" + std::to_string(getpid()) + ".jsonl");
  const Identity identity{.fingerprint = "f", .suite = "four", .plans = {"mixed", "mute"}};
  {
    auto journal = Journal::open(file, identity, true);
    ASSERT_TRUE(journal);
    const auto outcomes = measured({.plans = {"mixed", "mute"},
                                    .observer = Observer{.plan = "mixed", .read = observe},
                                    .journal = &*journal});
    ASSERT_TRUE(outcomes);
    EXPECT_THAT((*outcomes)[0].features, ElementsAre(4, 0.1F));
    EXPECT_EQ((*outcomes)[2].error, "context_overflow") << "what cannot be read cannot be used";
    EXPECT_TRUE((*outcomes)[4].features.empty()) << "another plan";
  }
  auto journal = Journal::open(file, identity);
  ASSERT_TRUE(journal);
  EXPECT_THAT(journal->found().at(0).features, ElementsAre(4, 0.1F));
  EXPECT_TRUE(journal->remove());
}

TEST_F(MeasureTest, GoesOnFromAJournal) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("measure_test_" + std::to_string(getpid()) + ".jsonl");
  std::filesystem::remove(file);
  const Identity identity{.fingerprint = "f", .suite = "four", .plans = {"mixed", "judge"}};
  {
    auto journal = Journal::open(file, identity);
    ASSERT_TRUE(journal);
    std::stop_source stop;
    const auto stopped = measured({.plans = {"mixed", "judge"},
                                   .journal = &*journal,
                                   .progress =
                                       [&](auto, std::size_t now, auto) {
                                         if (now == 5) stop.request_stop();
                                       },
                                   .stop = stop.get_token()});
    EXPECT_EQ(stopped.error().code, Errc::cancelled);
  }
  model_->calls = judge_->calls = 0;
  auto journal = Journal::open(file, identity);
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->found().size(), 5u);
  const auto resumed = measured({.plans = {"mixed", "judge"}, .journal = &*journal});
  ASSERT_TRUE(resumed);
  EXPECT_EQ(model_->calls, 0) << "all of its outcomes were there";
  EXPECT_EQ(judge_->calls, 4) << "the warm-up and the three that were missing";
  const auto whole = measured({.plans = {"mixed", "judge"}});
  ASSERT_EQ(resumed->size(), whole->size());
  for (std::size_t i = 0; i < whole->size(); ++i) {
    EXPECT_EQ((*resumed)[i].plan, (*whole)[i].plan);
    EXPECT_EQ((*resumed)[i].task, (*whole)[i].task);
    EXPECT_EQ((*resumed)[i].right, (*whole)[i].right);
    EXPECT_EQ((*resumed)[i].error, (*whole)[i].error);
  }
}

TEST(BusyClock, CountsOverlapOnceAndPausesNever) {
  const auto at = [](int ms) { return Clock::time_point(std::chrono::milliseconds(ms)); };
  BusyClock clock;
  clock.enter(at(10));
  clock.enter(at(15));
  EXPECT_EQ(clock.take(at(20)), 10);
  clock.leave(at(20));
  EXPECT_EQ(clock.take(at(25)), 5);
  clock.leave(at(26));
  EXPECT_EQ(clock.take(at(100)), 1) << "nothing was in progress after 26";
  clock.enter(at(200));
  clock.leave(at(207));
  EXPECT_EQ(clock.take(at(300)), 7);
}

}  // namespace
}  // namespace lichen::eval
