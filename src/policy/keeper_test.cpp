#include "policy/keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "lichen/runtime.h"
#include "mechanisms/scripted_model.h"
#include "policy/config.h"

namespace lichen::policy {
namespace {

using testing::ElementsAre;
using testing::Pair;

class FakeLearner : public mechanisms::Learner {
 public:
  void feedback(const std::string& request, double score) override {
    heard.emplace_back(request, score);
  }
  std::string state() const override { return knows; }
  Result<void> restore(std::string_view state) override {
    if (state == "damaged") return fail(Errc::bad_model, "is damaged");
    knows = state;
    return {};
  }

  std::string knows = "nothing";
  std::vector<std::pair<std::string, double>> heard;
};

Receipt receipt(const std::string& id) {
  Receipt receipt;
  receipt.id = id;
  return receipt;
}

TEST(Keeper, WhatWasLearnedComesBackToItsOwner) {
  const auto ledger = ledger::Ledger::in_memory();
  const auto a = std::make_shared<FakeLearner>(), b = std::make_shared<FakeLearner>();
  {
    Keeper keeper(*ledger, {{"a", a}, {"b", b}});
    a->knows = "much";
    b->knows = "little";
  }
  const auto again = std::make_shared<FakeLearner>();
  Keeper keeper(*ledger, {{"a", again}});
  EXPECT_EQ(again->knows, "much");
}

TEST(Keeper, ADamagedStateIsAFreshStart) {
  const auto ledger = ledger::Ledger::in_memory();
  ASSERT_TRUE(ledger->keep("learned/a", "damaged"));
  const auto learner = std::make_shared<FakeLearner>();
  {
    Keeper keeper(*ledger, {{"a", learner}});
  }
  EXPECT_EQ(learner->knows, "nothing");
  EXPECT_EQ(ledger->kept("learned/a").value(), "nothing");
}

TEST(Keeper, FeedbackGoesToAllAlsoThatOfOtherProcesses) {
  const auto ledger = ledger::Ledger::in_memory();
  for (const char* id : {"r1", "r2"}) ledger->record(receipt(id));
  ASSERT_TRUE(ledger->rate("r1", {.score = 1}));
  ASSERT_TRUE(ledger->rate("r2", {.score = 0}));
  const auto a = std::make_shared<FakeLearner>(), b = std::make_shared<FakeLearner>();
  Keeper keeper(*ledger, {{"a", a}, {"b", b}});
  keeper.feedback("r3", 0.5);
  EXPECT_THAT(a->heard, ElementsAre(Pair("r1", 1), Pair("r2", 0), Pair("r3", 0.5)));
  EXPECT_EQ(a->heard, b->heard);
}

class AutoOverRestarts : public testing::Test {
 protected:
  AutoOverRestarts()
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("lichen_auto_over_restarts_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~AutoOverRestarts() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Runtime> open() {
    auto config = parse_config(
        "plans: {p: {auto: {of: [small, large], explore: 0, price: {second: 0}}}}\n"
        "ledger: {path: ledger.db}",
        folder_ / "f.yaml");
    using mechanisms::ScriptedModel;
    auto runtime = Runtime::open(
        *std::move(config), io_.get_executor(), {},
        {std::make_shared<ScriptedModel>("small"), std::make_shared<ScriptedModel>("large")});
    EXPECT_TRUE(runtime) << runtime.error().detail;
    return *std::move(runtime);
  }
  /// The receipt of a request.
  static Receipt ask(Runtime& runtime) {
    Turn turn("p");
    Request request;
    request.messages.push_back({.role = "user", .content = "hi"});
    EXPECT_TRUE(mechanisms::run(runtime.answer(std::move(request), turn)));
    return turn.receipt;
  }
  static std::string reason(const Receipt& receipt) { return receipt.decisions.at(0).reason; }

  const std::filesystem::path folder_;
  boost::asio::io_context io_;
};

TEST_F(AutoOverRestarts, FeedbackTeachesThisRunAndTheNext) {
  std::string learned, late;
  {
    const auto runtime = open();
    const Receipt first = ask(*runtime);
    EXPECT_EQ(reason(first), "expected 1.00");
    ASSERT_TRUE(runtime->feedback(first.id, {.score = 0}));
    const Receipt second = ask(*runtime);
    learned = reason(second);
    EXPECT_NE(learned, "expected 1.00");
    late = second.id;
    EXPECT_EQ(runtime->feedback("rcpt_0", {.score = 0}).error().code, Errc::not_found);
    EXPECT_EQ(runtime->feedback(late, {.score = 7}).error().code, Errc::bad_request);
  }
  {
    const auto runtime = open();
    EXPECT_EQ(reason(ask(*runtime)), learned);
  }
  // As `lichen feedback` does, while nothing runs.
  ASSERT_TRUE(ledger::Ledger::open(folder_ / "ledger.db").value()->rate(late, {.score = 0}));
  EXPECT_NE(reason(ask(*open())), learned);
}

TEST_F(AutoOverRestarts, ADamagedStateIsAFreshStart) {
  {
    const auto runtime = open();
    ASSERT_TRUE(runtime->feedback(ask(*runtime).id, {.score = 0}));
  }
  ASSERT_TRUE(ledger::Ledger::open(folder_ / "ledger.db").value()->keep("learned/p", "rubbish"));
  const auto runtime = open();
  EXPECT_EQ(reason(ask(*runtime)), "expected 1.00");
}

}  // namespace
}  // namespace lichen::policy
