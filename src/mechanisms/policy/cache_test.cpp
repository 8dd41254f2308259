#include "mechanisms/policy/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <memory>
#include <thread>

#include "mechanisms/policy/similarity_calibration.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Request asking(std::string question) { return {.messages = {{"user", std::move(question)}}}; }

class CacheTest : public testing::Test {
 protected:
  void of(std::vector<Script> script) {
    ScriptedModel::Traits traits;
    traits.price = Price{.input = 1, .output = 1};
    model_ = std::make_shared<ScriptedModel>("large", std::move(script), traits);
    options_.answerers["of"] = model_;
  }
  void semantic(double threshold, int width = 1'000, bool local = true) {
    embedder_ = std::make_shared<ScriptedModel>(
        "embedder", std::vector<Script>{},
        ScriptedModel::Traits{.local = local, .embedding_width = width});
    auto map = std::make_shared<ScriptedOptions>();
    map->answerers["embedder"] = embedder_;
    map->numbers["threshold"] = threshold;
    map->choices["equal"] = "facts";
    options_.nested["semantic"] = std::move(map);
  }
  Answerer& plan() {
    if (plan_ == nullptr) {
      Result<AnswererPtr> built = build_cache(options_);
      EXPECT_TRUE(built) << built.error().detail;
      plan_ = *std::move(built);
    }
    return *plan_;
  }
  Answer ask(Request request, Turn& turn) {
    Result<Answer> answer = run(plan().answer(std::move(request), turn));
    EXPECT_TRUE(answer) << answer.error().detail;
    return answer ? *std::move(answer) : Answer{};
  }
  /// The choice that was made.
  std::string ask(Request request, const std::string& key = {}) {
    Turn turn("plan");
    turn.receipt.key = key;
    ask(std::move(request), turn);
    return turn.receipt.decisions.empty() ? "" : turn.receipt.decisions.back().choice;
  }
  std::size_t asked() const { return model_->requests().size(); }
  std::string refusal() {
    const Result<AnswererPtr> built = build_cache(options_);
    EXPECT_FALSE(built);
    return built ? "" : built.error().detail;
  }

  ScriptedOptions options_;
  std::shared_ptr<ScriptedModel> model_, embedder_;
  AnswererPtr plan_;
};

TEST_F(CacheTest, TheSameRequestGetsTheSameAnswerAtNoCost) {
  of({{.text = "one two"}, {.text = "other"}});
  Turn first("plan"), second("plan");
  const Answer made = ask(asking("q"), first);
  EXPECT_EQ(first.receipt.decisions.at(0).choice, "miss");
  const Answer given = ask(asking("q"), second);
  EXPECT_EQ(given.text, "one two");
  EXPECT_EQ(given.prompt_tokens, made.prompt_tokens);
  EXPECT_EQ(given.completion_tokens, 2);
  EXPECT_EQ(given.tokens.size(), 2U);
  EXPECT_THAT(second.receipt.steps, IsEmpty());
  EXPECT_FALSE(totals(second.receipt).usd);
  ASSERT_EQ(second.receipt.decisions.size(), 1U);
  EXPECT_EQ(second.receipt.decisions[0].mechanism, "cache");
  EXPECT_EQ(second.receipt.decisions[0].choice, "hit");
  EXPECT_THAT(second.receipt.decisions[0].reason, HasSubstr("the same was asked"));
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(ask(asking("q?")), "miss");
  EXPECT_EQ(options_.metric("lichen_cache_hits_total"), 1);
  EXPECT_EQ(options_.metric("lichen_cache_misses_total"), 2);
  EXPECT_EQ(options_.metric("lichen_cache_entries"), 2);
  EXPECT_GT(options_.metric("lichen_cache_bytes"), 100);
  EXPECT_EQ(options_.metric("lichen_cache_evictions_total"), 0);
}

TEST_F(CacheTest, AHitStreamsAllThatTheAnswerHas) {
  of({{.text = "one two", .reasoning = "hm", .tool_calls = {{{"id", "c"}}}}});
  Request request = asking("q");
  request.logprobs = true;
  for (const char* choice : {"miss", "hit"}) {
    CollectingSink sink;
    Turn turn("plan", &sink);
    const Answer answer = ask(request, turn);
    EXPECT_EQ(turn.receipt.decisions.at(0).choice, choice);
    EXPECT_EQ(sink.text(), "one two");
    EXPECT_EQ(answer.tool_calls.size(), 1U);
    ASSERT_GE(sink.pieces.size(), 2U);
    EXPECT_EQ(sink.pieces[0].reasoning, "hm");
    EXPECT_EQ(sink.pieces[0].model, "large");
    std::size_t tokens = 0, logprobs = 0;
    for (const Piece& piece : sink.pieces) {
      EXPECT_EQ(piece.model, "large");
      tokens += static_cast<std::size_t>(piece.tokens);
      logprobs += piece.logprobs.size();
    }
    EXPECT_EQ(tokens, 2U);
    EXPECT_EQ(logprobs, 2U);
    ASSERT_EQ(turn.receipt.authors.size(), 1U);
    EXPECT_EQ(turn.receipt.authors[0].tokens, 2);
    EXPECT_TRUE(turn.receipt.first_token_ms);
  }
  EXPECT_EQ(asked(), 1U);
}

TEST_F(CacheTest, EntriesAreSeenByTheirKeyAlone) {
  of({{.text = "x"}});
  EXPECT_EQ(ask(asking("q"), "a"), "miss");
  EXPECT_EQ(ask(asking("q"), "b"), "miss");
  EXPECT_EQ(ask(asking("q"), ""), "miss");
  EXPECT_EQ(ask(asking("q"), "a"), "hit");
}

TEST_F(CacheTest, OrByAll) {
  of({{.text = "x"}});
  options_.choices["share"] = "all";
  EXPECT_EQ(ask(asking("q"), "a"), "miss");
  EXPECT_EQ(ask(asking("q"), "b"), "hit");
}

TEST_F(CacheTest, WhatMustBeFreshIsAskedAndKept) {
  of({{.text = "old"}, {.text = "new"}});
  EXPECT_EQ(ask(asking("q")), "miss");
  Turn fresh("plan"), after("plan");
  fresh.fresh = true;
  EXPECT_EQ(ask(asking("q"), fresh).text, "new");
  EXPECT_EQ(fresh.receipt.decisions.at(0).choice, "miss");
  EXPECT_EQ(ask(asking("q"), after).text, "new");
  EXPECT_EQ(after.receipt.decisions.at(0).choice, "hit");
}

TEST_F(CacheTest, NeitherFailuresNorWhatWasCutShortAreKept) {
  of({{.text = "one two", .error = Error{Errc::upstream, "gone"}, .error_after = 1},
      {.text = "one", .finish = Finish::length},
      {.text = "one", .finish = Finish::content_filter},
      {.text = "one two three"}});
  Turn turn("plan");
  EXPECT_FALSE(run(plan().answer(asking("q"), turn)));
  EXPECT_EQ(ask(asking("q")), "miss");
  EXPECT_EQ(ask(asking("q")), "miss") << "the model's own limit ended it";
  EXPECT_EQ(ask(asking("q")), "miss") << "the endpoint's filter ended it";
  EXPECT_EQ(ask(asking("q")), "hit");
  Request bounded = asking("q");
  bounded.max_tokens = 2;
  EXPECT_EQ(ask(bounded), "miss");
  EXPECT_EQ(ask(bounded), "hit") << "that limit is the request's own";
}

TEST_F(CacheTest, AnswersGrowOld) {
  of({{.text = "x"}});
  options_.durations["ttl"] = milliseconds(20);
  EXPECT_EQ(ask(asking("q")), "miss");
  std::this_thread::sleep_for(milliseconds(25));
  EXPECT_EQ(ask(asking("q")), "miss");
}

TEST_F(CacheTest, EntriesAreBounded) {
  of({{.text = "x"}});
  options_.numbers["entries"] = 1;
  EXPECT_EQ(ask(asking("a")), "miss");
  EXPECT_EQ(ask(asking("b")), "miss");
  EXPECT_EQ(ask(asking("a")), "miss");
  EXPECT_EQ(options_.metric("lichen_cache_evictions_total"), 2);
}

/// Several turns that ask side by side, on one thread.
class SideBySide {
 public:
  struct Asked {
    std::unique_ptr<Turn> turn;
    std::optional<Result<Answer>> answer = {};
  };
  explicit SideBySide(Answerer& plan) : plan_(plan) {}

  Asked& start(Request request, Sink* sink = nullptr) {
    Asked& asked = *all_.emplace_back(
        std::make_unique<Asked>(Asked{.turn = std::make_unique<Turn>("plan", sink)}));
    boost::asio::co_spawn(io_, plan_.answer(std::move(request), *asked.turn),
                          [&asked](const std::exception_ptr& thrown, Result<Answer> answer) {
                            EXPECT_FALSE(thrown);
                            asked.answer = std::move(answer);
                          });
    return asked;
  }
  template <class Action>
  void after(milliseconds time, Action action) {
    auto timer = std::make_shared<boost::asio::steady_timer>(io_, time);
    timer->async_wait([timer, action](auto) { action(); });
  }
  void run_all() { io_.run(); }

 private:
  Answerer& plan_;
  boost::asio::io_context io_;
  std::vector<std::unique_ptr<Asked>> all_;
};

TEST_F(CacheTest, TheSameAtTheSameTimeIsAskedOnce) {
  of({{.text = "one two", .first_token_after = milliseconds(20)}, {.text = "other"}});
  SideBySide all(plan());
  CollectingSink sinks[2];
  SideBySide::Asked* asked[] = {&all.start(asking("q")), &all.start(asking("q"), &sinks[0]),
                                &all.start(asking("q"), &sinks[1])};
  all.run_all();
  for (const auto* one : asked) {
    ASSERT_TRUE(one->answer && *one->answer);
    EXPECT_EQ((*one->answer)->text, "one two");
  }
  EXPECT_EQ(sinks[0].text(), "one two");
  EXPECT_EQ(sinks[1].text(), "one two");
  EXPECT_EQ(this->asked(), 1U);
  EXPECT_THAT(asked[1]->turn->receipt.decisions.at(0).reason, HasSubstr("was being asked"));
}

TEST_F(CacheTest, WhereTheFirstFailsTheNextAsks) {
  of({{.first_token_after = milliseconds(10), .error = Error{Errc::upstream, "gone"}},
      {.text = "second", .first_token_after = milliseconds(10)},
      {.text = "third"}});
  SideBySide all(plan());
  SideBySide::Asked* asked[] = {&all.start(asking("q")), &all.start(asking("q")),
                                &all.start(asking("q"))};
  all.run_all();
  EXPECT_EQ(asked[0]->answer->error().code, Errc::upstream);
  EXPECT_EQ((*asked[1]->answer)->text, "second");
  EXPECT_EQ((*asked[2]->answer)->text, "second");
}

TEST_F(CacheTest, WhereTheAnswerCannotBeKeptEachAsksAlone) {
  of({{.text = "cut", .finish = Finish::length, .first_token_after = milliseconds(100)}});
  SideBySide all(plan());
  std::vector<SideBySide::Asked*> asked;
  for (int i = 0; i < 20; ++i) asked.push_back(&all.start(asking("q")));
  int answered = 0;
  all.after(milliseconds(1'000), [&] {
    for (const auto* one : asked) answered += one->answer ? 1 : 0;
  });
  all.run_all();
  EXPECT_EQ(answered, 20) << "not one after the other";
  EXPECT_EQ(this->asked(), 20U);
}

TEST_F(CacheTest, EachHasItsOwnCancellationAndDeadline) {
  of({{.text = "never", .first_token_after = std::chrono::hours(1)},
      {.text = "second", .first_token_after = milliseconds(60)}});
  SideBySide all(plan());
  SideBySide::Asked* asked[] = {&all.start(asking("q")), &all.start(asking("q")),
                                &all.start(asking("q")), &all.start(asking("q"))};
  asked[2]->turn->deadline = Clock::now() + milliseconds(5);
  all.after(milliseconds(10), [&] { asked[3]->turn->cancel(); });
  all.after(milliseconds(20), [&] { asked[0]->turn->cancel(); });
  all.run_all();
  EXPECT_EQ(asked[0]->answer->error().code, Errc::cancelled);
  EXPECT_EQ(asked[2]->answer->error().code, Errc::deadline_exceeded);
  EXPECT_EQ(asked[3]->answer->error().code, Errc::cancelled);
  EXPECT_EQ((*asked[1]->answer)->text, "second");
}

/// Takes its time over the first piece.
class SlowSink : public Sink {
 public:
  awaitable<bool> write(Piece) override {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, wait_);
    wait_ = milliseconds(0);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return true;
  }

 private:
  milliseconds wait_{3'000};
};

TEST_F(CacheTest, ASlowReaderHoldsBackNobodyElse) {
  of({{.text = "one two"}});
  SideBySide all(plan());
  SlowSink slow;
  SideBySide::Asked& first = all.start(asking("q"), &slow);
  SideBySide::Asked& second = all.start(asking("q"));
  all.after(milliseconds(2'500), [&] {
    EXPECT_FALSE(first.answer);
    EXPECT_TRUE(second.answer);
  });
  all.run_all();
  EXPECT_EQ((*first.answer)->text, "one two");
  EXPECT_EQ((*second.answer)->text, "one two");
  EXPECT_EQ(asked(), 2U);
}

TEST_F(CacheTest, ManyThreads) {
  of({{.text = "one two", .first_token_after = milliseconds(1)}});
  semantic(1);
  Answerer& plan = this->plan();
  constexpr int kThreads = 4, kRequests = 400, kQuestions = 20;
  boost::asio::io_context io;
  std::atomic<int> right = 0;
  std::vector<std::unique_ptr<Turn>> turns;
  for (int i = 0; i < kRequests; ++i) {
    Turn& turn = *turns.emplace_back(std::make_unique<Turn>("plan"));
    boost::asio::co_spawn(io, plan.answer(asking(std::to_string(i % kQuestions)), turn),
                          [&right](const std::exception_ptr&, Result<Answer> answer) {
                            right += answer && answer->text == "one two" ? 1 : 0;
                          });
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back([&io] { io.run(); });
  }
  EXPECT_EQ(right, kRequests);
  EXPECT_EQ(asked(), static_cast<std::size_t>(kQuestions));
}

TEST_F(CacheTest, ASimilarQuestionGetsTheAnswerToo) {
  of({{.text = "x"}});
  semantic(0.9);
  Turn first("plan"), second("plan");
  ask(asking("what is it?"), first);
  EXPECT_THAT(roles(first), ElementsAre("embedder:embed", "large:answer"));
  EXPECT_EQ(ask(asking("what was it?!")), "miss") << "its embedding is another";
  // The embedder goes by the length.
  EXPECT_EQ(ask(asking("what is he?"), second).text, "x");
  EXPECT_THAT(roles(second), ElementsAre("embedder:embed"));
  const Decision& decision = second.receipt.decisions.at(0);
  EXPECT_EQ(decision.choice, "similar");
  EXPECT_NEAR(*decision.score, 1, 1e-6);
  EXPECT_EQ(decision.threshold, 0.9);
  EXPECT_EQ(options_.metric("lichen_cache_similar_total"), 1);
  EXPECT_EQ(ask(asking("what is he?")), "similar") << "it is not kept as an answer to this one";
}

TEST_F(CacheTest, WhatDiffersInFactsIsNotSimilar) {
  of({{.text = "x"}});
  semantic(0.9);
  Turn turn("plan");
  ask(asking("what is 12 + 3?"));
  ask(asking("what is 12 + 4?"), turn);
  EXPECT_EQ(turn.receipt.decisions.at(0).choice, "miss");
  EXPECT_THAT(turn.receipt.decisions.at(0).reason, HasSubstr("numbers, names"));
}

TEST_F(CacheTest, ByDefaultAllWordsThatTellMustBeEqual) {
  of({{.text = "x"}});
  semantic(0.9);
  options_.nested["semantic"]->choices.clear();
  Turn turn("plan");
  ask(asking("reverse walnut"));
  ask(asking("reverse jigsaw"), turn);
  EXPECT_EQ(turn.receipt.decisions.at(0).choice, "miss");
  EXPECT_THAT(turn.receipt.decisions.at(0).reason, HasSubstr("has other words"));
  EXPECT_EQ(ask(asking("reverse,walnut")), "similar");
}

TEST_F(CacheTest, AllElseMustBeTheSame) {
  of({{.text = "x"}});
  semantic(0.9);
  Request system = asking("ab?");
  system.messages.insert(system.messages.begin(), {"system", "s"});
  Request tools = asking("ab?");
  tools.tools = {1};
  ask(asking("aa?"));
  EXPECT_EQ(ask(system), "miss");
  EXPECT_EQ(ask(tools), "miss");
  EXPECT_EQ(ask(asking("ab?"), "another key"), "miss");
  EXPECT_EQ(ask(asking("ab?")), "similar");
}

TEST_F(CacheTest, WithoutAnEmbeddingItIsAMiss) {
  of({{.text = "x"}});
  semantic(0.9, 0);
  Turn turn("plan");
  EXPECT_EQ(ask(asking("aa?"), turn).text, "x");
  EXPECT_THAT(turn.receipt.decisions.at(0).reason, HasSubstr("offers no embeddings"));
  EXPECT_EQ(ask(asking("aa?")), "hit");
}

TEST_F(CacheTest, WhatCannotBeIsRefused) {
  of({{.text = "x"}});
  options_.numbers["entries"] = 1.5;
  EXPECT_THAT(refusal(), HasSubstr("whole number"));
  options_.numbers.clear();
  options_.choices["share"] = "some";
  EXPECT_THAT(refusal(), HasSubstr("share"));
  options_.choices.clear();

  semantic(0.9);
  options_.nested["semantic"]->answerers["embedder"] = plan_ = *build_cache(options_);
  EXPECT_THAT(refusal(), HasSubstr("must be a model"));
  semantic(0.9);
  options_.nested["semantic"]->numbers.clear();
  EXPECT_THAT(refusal(), HasSubstr("lichen cache calibrate"));
  semantic(0.9, 8, false);
  EXPECT_TRUE(build_cache(options_)) << "as remote as all else";
  options_.mask_within = true;
  EXPECT_THAT(refusal(), HasSubstr("put the `mask` around the `cache`"));
  semantic(0.9);
  EXPECT_TRUE(build_cache(options_)) << "a local one may see all";
}

TEST_F(CacheTest, ACalibrationIsOfItsEmbedder) {
  of({{.text = "x"}});
  semantic(0.9);
  const auto file = std::filesystem::path(testing::TempDir()) / "cache_test.similarity";
  ASSERT_TRUE(save_similarity({.embedder = {{"gguf", "a"}},
                               .equal = Equal::facts,
                               .target = {.alpha = 0.1, .delta = 0.1},
                               .choice = {.at = {.threshold = 0.5, .hits = 9}, .upper_bound = 0.1},
                               .pairs = 10,
                               .data_hash = "h"},
                              file));
  options_.nested["semantic"]->numbers.clear();
  options_.nested["semantic"]->choices.clear();
  options_.nested["semantic"]->choices["calibration"] = file.string();
  options_.identity_too = {{"semantic", {{"embedder", {{"gguf", "b"}}}}}};
  EXPECT_THAT(refusal(), HasSubstr("was made with another embedder: `gguf` was a and is b"));
  options_.identity_too = {{"semantic", {{"embedder", {{"gguf", "a"}}}}}};
  Turn turn("plan");
  ask(asking("aa?"));
  ask(asking("ab?"), turn);
  EXPECT_EQ(turn.receipt.decisions.at(0).threshold, 0.5);
  options_.nested["semantic"]->choices["equal"] = "words";
  EXPECT_THAT(refusal(), HasSubstr("has its own"));
  options_.nested["semantic"]->numbers["threshold"] = 0.9;
  EXPECT_THAT(refusal(), HasSubstr("either a `threshold`"));
}

}  // namespace
}  // namespace lichen::mechanisms
