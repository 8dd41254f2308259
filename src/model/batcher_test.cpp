#include "model/batcher.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "model/lane.h"
#include "model/scripted_backend.h"

namespace lichen::model {
namespace {

namespace asio = boost::asio;

constexpr Backend::Limits kLimits{.cells = 4'096,
                                  .batch = 64,
                                  .outputs = 64,
                                  .sequences = 16,
                                  .train_length = 4'096,
                                  .embedding = 4,
                                  .cell_bytes = 8};

std::vector<Token> tokens_of(std::string_view text) {
  return *ByteVocabulary().tokenize(text, false);
}

/// What the scripted model writes after `prompt` when nothing interferes.
std::vector<Token> expected(const ScriptedBackend::Script& script, std::vector<Token> prompt,
                            int count) {
  std::vector<Token> written;
  for (int i = 0; i < count; ++i) {
    const Token token = script(prompt);
    written.push_back(token);
    prompt.push_back(token);
  }
  return written;
}

awaitable<Result<std::vector<Token>>> write(Batcher& batcher, Turn& turn, std::vector<Token> prompt,
                                            int count, SessionStats* stats = nullptr) {
  Session session = batcher.open(turn);
  std::vector<Token> written;
  auto rows = co_await session.decode(prompt);
  for (;;) {
    if (!rows) co_return std::unexpected(rows.error());
    const Token token = rows->front().token;
    written.push_back(token);
    if (static_cast<int>(written.size()) == count) break;
    rows = co_await session.decode(std::span(&token, 1));
  }
  if (stats != nullptr) *stats = session.stats();
  co_return written;
}

class BatcherTest : public ::testing::Test {
 protected:
  void start(Backend::Limits limits, BatcherOptions options = {}) {
    auto backend = std::make_unique<ScriptedBackend>(limits, script_);
    backend_ = backend.get();
    backend_->on_decode = [this](std::span<const BatchToken> batch) {
      std::set<Seq> sequences;
      for (const BatchToken& token : batch) sequences.insert(token.seq);
      widest_ = std::max(widest_, sequences.size());
      longest_ = std::max(longest_, batch.size());
      return !fail_decode_;
    };
    batcher_ = lane_.add(std::move(backend), options);
  }

  template <class T>
  std::future<T> spawn(awaitable<T> coroutine) {
    return asio::co_spawn(lane_.executor(), std::move(coroutine), asio::use_future);
  }

  const ScriptedBackend::Script script_ = hashing_script(1'000'000);
  ScriptedBackend* backend_ = nullptr;
  std::shared_ptr<Batcher> batcher_;
  std::size_t widest_ = 0;   // sequences in a batch; written on the lane before results arrive
  std::size_t longest_ = 0;  // tokens in a batch
  bool fail_decode_ = false;
  Lane lane_{"test"};
};

TEST_F(BatcherTest, WritesWhatTheModelSays) {
  start(kLimits);
  Turn turn("test");
  const auto prompt = tokens_of("hello");
  EXPECT_EQ(spawn(write(*batcher_, turn, prompt, 20)).get(), expected(script_, prompt, 20));
}

TEST_F(BatcherTest, ManySessionsShareBatchesAndNoneMixesUp) {
  start(kLimits);
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Result<std::vector<Token>>>> answers;
  std::vector<std::vector<Token>> prompts;
  for (int i = 0; i < 12; ++i) {
    turns.push_back(std::make_unique<Turn>("test"));
    prompts.push_back(tokens_of("prompt number " + std::to_string(i * 7919)));
    answers.push_back(spawn(write(*batcher_, *turns.back(), prompts.back(), 50)));
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get(), expected(script_, prompts[i], 50)) << i;
  }
  EXPECT_GT(widest_, 1u);
  EXPECT_EQ(batcher_->stats().sessions, 0);
}

TEST_F(BatcherTest, LongPromptsGoInChunks) {
  start(kLimits);
  Turn turn("test");
  const auto prompt = tokens_of(std::string(1'000, 'x'));
  EXPECT_EQ(spawn(write(*batcher_, turn, prompt, 5)).get(), expected(script_, prompt, 5));
  EXPECT_EQ(longest_, 64u);
}

TEST_F(BatcherTest, FinishedSequencesServePromptsThatBeginLikeThem) {
  start(kLimits);
  Turn turn("test");
  const auto first = tokens_of("a system prompt that all share; first question");
  const auto second = tokens_of("a system prompt that all share; other question");
  ASSERT_TRUE(spawn(write(*batcher_, turn, first, 10)).get().has_value());
  SessionStats stats;
  EXPECT_EQ(spawn(write(*batcher_, turn, second, 10, &stats)).get(), expected(script_, second, 10));
  EXPECT_EQ(stats.tokens_cached, 32);
  // The very same prompt: all but its last token, whose logits are needed.
  EXPECT_EQ(spawn(write(*batcher_, turn, second, 10, &stats)).get(), expected(script_, second, 10));
  EXPECT_EQ(stats.tokens_cached, static_cast<std::int64_t>(second.size()) - 1);
}

TEST_F(BatcherTest, FinishedSequencesHoldNoCells) {
  start(kLimits);
  Turn turn("test");
  const auto prompt = tokens_of("a prompt that is kept in memory once it is answered");
  ASSERT_TRUE(spawn(write(*batcher_, turn, prompt, 10)).get().has_value());
  ASSERT_TRUE(spawn(write(*batcher_, turn, tokens_of("next"), 2)).get().has_value());
  lane_.call([&] { EXPECT_EQ(backend_->used_cells(), 0); });
  EXPECT_GT(batcher_->stats().prefix_cache_bytes, 0);
}

TEST_F(BatcherTest, ThePrefixCacheKeepsToItsMemory) {
  constexpr std::int64_t kBytes = 1'000;  // 125 tokens
  start(kLimits, {.prefix_cache_bytes = kBytes});
  Turn turn("test");
  SessionStats stats;
  for (int i = 0; i < 20; ++i) {
    const auto prompt = tokens_of(std::to_string(i) + std::string(40, 'k'));
    ASSERT_TRUE(spawn(write(*batcher_, turn, prompt, 5, &stats)).get().has_value());
    EXPECT_LE(batcher_->stats().prefix_cache_bytes, kBytes);
  }
  // The latest are there, the earliest are not.
  const auto late = tokens_of("19" + std::string(40, 'k'));
  EXPECT_TRUE(spawn(write(*batcher_, turn, late, 5, &stats)).get().has_value());
  EXPECT_EQ(stats.tokens_cached, static_cast<std::int64_t>(late.size()) - 1);
  const auto early = tokens_of("0" + std::string(40, 'k'));
  EXPECT_TRUE(spawn(write(*batcher_, turn, early, 5, &stats)).get().has_value());
  EXPECT_EQ(stats.tokens_cached, 0);
}

TEST_F(BatcherTest, WithoutAPrefixCacheNothingIsKept) {
  start(kLimits, {.prefix_cache_bytes = 0});
  Turn turn("test");
  const auto prompt = tokens_of("a prompt that is asked twice");
  SessionStats stats;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(spawn(write(*batcher_, turn, prompt, 5, &stats)).get().has_value());
    EXPECT_EQ(stats.tokens_cached, 0);
  }
}

TEST_F(BatcherTest, SamePromptsAtOnceAreDecodedOnce) {
  start(kLimits);
  const auto prompt = tokens_of(std::string(300, 'p') + "?");
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Result<std::vector<Token>>>> answers;
  for (int i = 0; i < 8; ++i) {
    turns.push_back(std::make_unique<Turn>("test"));
    answers.push_back(spawn(write(*batcher_, *turns.back(), prompt, 10)));
  }
  for (auto& answer : answers) EXPECT_EQ(answer.get(), expected(script_, prompt, 10));
  EXPECT_LT(batcher_->stats().tokens, 2 * prompt.size() + 8 * 10);
}

TEST_F(BatcherTest, KvShortageDelaysButNeverFails) {
  // Each session needs 60 + 100 cells; together 16 times that, of 400.
  Backend::Limits limits = kLimits;
  limits.cells = 400;
  start(limits);
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Result<std::vector<Token>>>> answers;
  std::vector<std::vector<Token>> prompts;
  for (int i = 0; i < 24; ++i) {
    turns.push_back(std::make_unique<Turn>("test"));
    prompts.push_back(tokens_of(std::to_string(i * 104729) + std::string(60, 'q')));
    answers.push_back(spawn(write(*batcher_, *turns.back(), prompts.back(), 100)));
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get(), expected(script_, prompts[i], 100)) << i;
  }
  EXPECT_GT(batcher_->stats().preemptions, 0u);
}

enum class Layout : std::uint8_t { unified, split, split_plain };

class RandomLoad : public BatcherTest, public ::testing::WithParamInterface<Layout> {};

TEST_P(RandomLoad, OnATightCacheIsAlwaysRight) {
  Backend::Limits limits = kLimits;
  limits.split = GetParam() != Layout::unified;
  limits.plain_attention = GetParam() == Layout::split_plain;
  limits.sequences = 5;
  const int length = limits.plain_attention ? 900 : 300;
  limits.cells = limits.split ? 5 * length : length;
  start(limits);
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Result<std::vector<Token>>>> answers;
  std::vector<std::vector<Token>> prompts;
  std::vector<int> counts;
  for (int i = 0; i < 60; ++i) {
    turns.push_back(std::make_unique<Turn>("test"));
    turns.back()->priority = random() % 3 == 0 ? Priority::background : Priority::interactive;
    std::string text(random() % 3 == 0 ? static_cast<std::size_t>(length) - 220 : 0, 's');
    text += std::to_string(random() % 20) + std::string(random() % 90, 'z');
    prompts.push_back(tokens_of(text));
    counts.push_back(1 + static_cast<int>(random() % 80));
    answers.push_back(spawn(write(*batcher_, *turns.back(), prompts.back(), counts.back())));
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get(), expected(script_, prompts[i], counts[i])) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(KvLayouts, RandomLoad,
                         ::testing::Values(Layout::unified, Layout::split, Layout::split_plain),
                         [](const auto& layout) {
                           switch (layout.param) {
                             case Layout::unified: return "Unified";
                             case Layout::split: return "Split";
                             case Layout::split_plain: return "SplitPlain";
                           }
                           return "";
                         });

TEST_F(BatcherTest, WithPlainAttentionALongTextTakesTurnsWithTheShortOnes) {
  Backend::Limits limits = kLimits;
  limits.split = true;
  limits.plain_attention = true;
  limits.cells = 8 * 2'048;
  limits.sequences = 8;
  start(limits);
  int mixed = 0, alone = 0, together = 0;
  backend_->on_decode = [&](std::span<const BatchToken> batch) {
    std::set<Seq> sequences;
    int furthest = 0;
    for (const BatchToken& token : batch) {
      sequences.insert(token.seq);
      furthest = std::max(furthest, token.position);
    }
    const bool is_long = furthest > 100;
    if (is_long) (sequences.size() == 1 ? alone : mixed) += 1;
    if (!is_long && sequences.size() == 5) ++together;
    return true;
  };
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Result<std::vector<Token>>>> answers;
  std::vector<std::vector<Token>> prompts = {tokens_of(std::string(1'200, 'l'))};
  for (int i = 0; i < 5; ++i) prompts.push_back(tokens_of(std::to_string(i) + " prompt"));
  auto all = [&]() -> awaitable<void> {  // all begin in the same round of the lane
    for (const auto& prompt : prompts) {
      turns.push_back(std::make_unique<Turn>("test"));
      answers.push_back(asio::co_spawn(
          lane_.executor(), write(*batcher_, *turns.back(), prompt, 60), asio::use_future));
    }
    co_return;
  };
  spawn(all()).get();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get(), expected(script_, prompts[i], 60)) << i;
  }
  lane_.call([&] {
    EXPECT_EQ(mixed, 0);
    EXPECT_GE(alone, 60);
    EXPECT_GE(together, 55);
  });
}

TEST_F(BatcherTest, SplitSequencesCloseTheGapsThatEndedOnesLeave) {
  // libllama computes sequences with consecutive numbers in one pass, others in several.
  Backend::Limits limits = kLimits;
  limits.split = true;
  start(limits);
  std::vector<Seq> last;
  backend_->on_decode = [&](std::span<const BatchToken> batch) {
    last.clear();
    for (const BatchToken& token : batch) {
      if (last.empty() || last.back() != token.seq) last.push_back(token.seq);
    }
    return true;
  };
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Result<std::vector<Token>>>> answers;
  std::vector<std::vector<Token>> prompts;
  auto all = [&]() -> awaitable<void> {  // all begin in the same round of the lane
    for (int i = 0; i < 6; ++i) {
      turns.push_back(std::make_unique<Turn>("test"));
      prompts.push_back(tokens_of(std::to_string(i) + " prompt"));
      const int count = i % 2 == 0 ? 5 : 40;  // every second one ends early
      answers.push_back(asio::co_spawn(lane_.executor(),
                                       write(*batcher_, *turns.back(), prompts.back(), count),
                                       asio::use_future));
    }
    co_return;
  };
  spawn(all()).get();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get(), expected(script_, prompts[i], i % 2 == 0 ? 5 : 40)) << i;
  }
  lane_.call([&] {
    ASSERT_EQ(last.size(), 3u);
    EXPECT_EQ(last.back() - last.front(), 2);
  });
}

TEST_F(BatcherTest, InteractiveSessionsGoFirst) {
  start(kLimits, {.background_patience = std::chrono::hours(1)});
  Turn slow("background");
  slow.priority = Priority::background;
  Turn quick("interactive");
  std::vector<std::string> order;
  auto run = [&](Turn& turn, std::string name) -> awaitable<void> {
    auto written = co_await write(*batcher_, turn, tokens_of(name), 30);
    EXPECT_TRUE(written.has_value());
    order.push_back(name);
  };
  // Both begin in the same round of the lane.
  auto both = [&]() -> awaitable<void> {
    asio::co_spawn(lane_.executor(), run(slow, "background"), asio::detached);
    co_await run(quick, "interactive");
  };
  spawn(both()).get();
  while (batcher_->stats().sessions > 0) std::this_thread::yield();
  lane_.call([&] { EXPECT_EQ(order, (std::vector<std::string>{"interactive", "background"})); });
}

TEST_F(BatcherTest, ACancelledTurnStopsAtTheNextStep) {
  start(kLimits);
  Turn turn("test");
  auto answer = spawn(write(*batcher_, turn, tokens_of("endless"), 1'000'000));
  while (batcher_->stats().tokens < 100) std::this_thread::yield();
  turn.cancel();
  const auto result = answer.get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::cancelled);
  EXPECT_EQ(batcher_->stats().sessions, 0);
}

TEST_F(BatcherTest, ADeadlineStopsATurn) {
  start(kLimits);
  Turn turn("test");
  turn.deadline = Clock::now() + std::chrono::milliseconds(20);
  const auto result = spawn(write(*batcher_, turn, tokens_of("endless"), 1'000'000)).get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::deadline_exceeded);
}

TEST_F(BatcherTest, AFailedDecodeFailsItsStepsAndNoOthers) {
  start(kLimits);
  Turn turn("test");
  fail_decode_ = true;
  const auto failed = spawn(write(*batcher_, turn, tokens_of("one"), 5)).get();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::internal);
  fail_decode_ = false;
  EXPECT_EQ(spawn(write(*batcher_, turn, tokens_of("two"), 5)).get(),
            expected(script_, tokens_of("two"), 5));
}

TEST_F(BatcherTest, AnExceptionFailsTheStepsThatItHitAndNoOthers) {
  start(kLimits);
  Turn turn("test");
  backend_->on_decode = [](std::span<const BatchToken>) -> bool { throw std::bad_alloc(); };
  const auto failed = spawn(write(*batcher_, turn, tokens_of("one"), 5)).get();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::internal);
  lane_.call([&] { backend_->on_decode = {}; });

  struct Throwing : Sampler {
    Result<Token> sample(std::span<const float>) override {
      throw std::runtime_error("no token left");
    }
  };
  auto throwing = [&]() -> awaitable<Error> {
    Throwing sampler;
    Session session = batcher_->open(turn);
    const auto prompt = tokens_of("one");
    auto rows = co_await session.decode(prompt, {.sampler = &sampler});
    co_return rows.error();
  };
  auto both = [&]() -> awaitable<void> {  // in one batch
    auto other = asio::co_spawn(lane_.executor(), write(*batcher_, turn, tokens_of("two"), 5),
                                asio::deferred);
    auto bad = asio::co_spawn(lane_.executor(), throwing(), asio::deferred);
    const auto [order, e1, written, e2, error] =
        co_await asio::experimental::make_parallel_group(std::move(other), std::move(bad))
            .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    EXPECT_EQ(written, expected(script_, tokens_of("two"), 5));
    EXPECT_EQ(error.code, Errc::internal);
    EXPECT_NE(error.detail.find("no token left"), std::string::npos) << error.detail;
  };
  spawn(both()).get();
}

TEST_F(BatcherTest, OnlyTheEnergyOfItsOwnBatchesIsCounted) {
  const auto zone = std::filesystem::path(::testing::TempDir()) / "batcher_test_rapl/intel-rapl:0";
  std::filesystem::create_directories(zone);
  std::int64_t microjoules = 0;
  auto use = [&](std::int64_t more) {
    microjoules += more;
    std::ofstream(zone / "energy_uj") << microjoules << '\n';
  };
  use(0);
  std::ofstream(zone / "name") << "package-0\n";
  std::ofstream(zone / "max_energy_range_uj") << 1'000'000'000'000 << '\n';
  start(kLimits, {.powercap = zone.parent_path()});
  use(900'000'000);  // while nobody asked for anything
  backend_->on_decode = [&](std::span<const BatchToken>) {
    use(2'000'000);
    return true;
  };
  Turn turn("test");
  SessionStats stats;
  ASSERT_TRUE(spawn(write(*batcher_, turn, tokens_of("abc"), 3, &stats)).get().has_value());
  ASSERT_TRUE(stats.joules.has_value());
  EXPECT_DOUBLE_EQ(*stats.joules, 3 * 2.0);
  std::filesystem::remove_all(zone.parent_path());
}

TEST_F(BatcherTest, MoreTokensThanCellsIsAClearError) {
  start(kLimits);
  Turn turn("test");
  const auto result = spawn(write(*batcher_, turn, tokens_of(std::string(5'000, 'x')), 5)).get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::context_overflow);
}

TEST_F(BatcherTest, RollsBackAndForks) {
  start(kLimits);
  Turn turn("test");
  const auto prompt = tokens_of("some prompt");
  auto run = [&]() -> awaitable<void> {
    Session session = batcher_->open(turn);
    auto rows = co_await session.decode(prompt);
    const Token right = rows->front().token;
    const std::vector<Token> wrong{1, 2, 3};
    co_await session.decode(wrong);
    session.truncate(static_cast<int>(prompt.size()));
    EXPECT_EQ(session.size(), static_cast<int>(prompt.size()));
    Session fork = session.fork();
    rows = co_await session.decode(std::span(&right, 1));
    EXPECT_EQ(rows->front().token, expected(script_, prompt, 2)[1]);
    const Token other = 7;
    auto fork_prompt = prompt;
    fork_prompt.push_back(other);
    rows = co_await fork.decode(std::span(&other, 1));
    EXPECT_EQ(rows->front().token, script_(fork_prompt));
  };
  spawn(run()).get();
}

TEST_F(BatcherTest, RowsBringWhatIsWanted) {
  start(kLimits);
  Turn turn("test");
  const auto prompt = tokens_of("abc");
  auto run = [&]() -> awaitable<void> {
    Session session = batcher_->open(turn);
    auto rows = co_await session.decode(prompt, {.rows = Want::Rows::all,
                                                 .logprob = true,
                                                 .top_k = 3,
                                                 .logits = true,
                                                 .hidden = true,
                                                 .input_logprobs = true});
    EXPECT_EQ(rows->size(), 3u);
    const Row& row = rows->at(1);
    const Token best = script_(std::span(prompt).first(2));
    EXPECT_EQ(row.token, best);
    const double norm = std::log(std::exp(5.0) + 256);
    EXPECT_NEAR(row.logprob, 5 - norm, 1e-5);
    EXPECT_NEAR(row.input_logprob, (prompt[2] == best ? 5 : 0) - norm, 1e-5);
    EXPECT_EQ(row.top.size(), 3u);
    EXPECT_EQ(row.top.front().token, best);
    EXPECT_EQ(row.logits.size(), 257u);
    EXPECT_EQ(row.hidden, std::vector<float>(4, 2.0F));
    rows = co_await session.decode(prompt, {.rows = Want::Rows::none});
    EXPECT_TRUE(rows->empty());
  };
  spawn(run()).get();
}

TEST_F(BatcherTest, ABatchHasOneAdapter) {
  start(kLimits);
  Turn turn("test");
  auto with_adapter = [&](int adapter) -> awaitable<Token> {
    Session session = batcher_->open(turn, adapter);
    const auto prompt = tokens_of("the same prompt for all adapters");
    auto rows = co_await session.decode(prompt);
    co_return rows->front().token;
  };
  auto run = [&]() -> awaitable<void> {
    co_await with_adapter(0);  // stands in the cache now, and must not serve the adapter
    std::vector<Token> shifted;
    for (Token token : tokens_of("the same prompt for all adapters")) {
      shifted.push_back(token + 1'000);
    }
    EXPECT_EQ(co_await with_adapter(1), script_(shifted));
  };
  spawn(run()).get();
}

TEST_F(BatcherTest, OneThatWaitsForAPlaceHoldsUpNobody) {
  Backend::Limits limits = kLimits;
  limits.split = true;
  limits.plain_attention = true;
  limits.sequences = 2;
  limits.cells = 2 * 4'096;
  start(limits);
  Turn turn("test");
  std::atomic<int> by_long = 0;
  const auto count = [&](std::string prompt, int tokens,
                         std::atomic<int>* written) -> awaitable<void> {
    Session session = batcher_->open(turn);
    auto rows = co_await session.decode(tokens_of(prompt));
    for (int i = 1; rows && i < tokens; ++i) {
      const Token token = rows->front().token;
      if (written != nullptr) ++*written;
      rows = co_await session.decode(std::span(&token, 1));
    }
  };
  auto longer = spawn(count(std::string(1'500, 'l'), 200, &by_long));
  auto shorter = spawn(count("a short one", 100, nullptr));
  auto waiting = spawn(count("another one", 5, nullptr));
  shorter.get();
  EXPECT_GT(by_long, 30) << "it stood still for one that had no place";
  longer.get();
  waiting.get();
}

TEST_F(BatcherTest, PromptsOfAnotherKeyAreNotAtHand) {
  start(kLimits);
  const auto cached = [&](std::string key) -> awaitable<std::int64_t> {
    Turn turn("test");
    turn.receipt.key = std::move(key);
    Session session = batcher_->open(turn);
    co_await session.decode(tokens_of("the same prompt for all of them"));
    co_return session.stats().tokens_cached;
  };
  auto run = [&]() -> awaitable<void> {
    EXPECT_EQ(co_await cached("a"), 0);
    EXPECT_GT(co_await cached("a"), 0);
    EXPECT_EQ(co_await cached("b"), 0);
    EXPECT_EQ(co_await cached(""), 0);
  };
  spawn(run()).get();
}

TEST_F(BatcherTest, NorAreTheyWaitedFor) {
  Backend::Limits limits = kLimits;
  limits.batch = 1'024;
  start(limits);
  const auto read = [&](std::string key, std::string prompt) -> awaitable<void> {
    Turn turn("test");
    turn.receipt.key = key;
    Session session = batcher_->open(turn);
    co_await session.decode(tokens_of(prompt));
  };
  const std::string common(100, 'c');
  std::vector<std::future<void>> answers;
  auto all = [&]() -> awaitable<void> {  // both begin in the same round of the lane
    for (const char* key : {"a", "b"}) {
      answers.push_back(
          asio::co_spawn(lane_.executor(), read(key, common + key), asio::use_future));
    }
    co_return;
  };
  spawn(all()).get();
  for (auto& answer : answers) answer.get();
  lane_.call([&] { EXPECT_EQ(widest_, 2u) << "another key's prompt was waited for"; });
}

TEST(LaneTest, GoesWithStepsStillWaiting) {
  Turn turn("test");
  auto lane = std::make_unique<Lane>("test");
  auto batcher = lane->add(std::make_unique<ScriptedBackend>(kLimits, hashing_script(1'000'000)),
                           BatcherOptions{});
  auto answer = asio::co_spawn(
      lane->executor(), write(*batcher, turn, tokens_of("endless"), 1'000'000), asio::use_future);
  while (batcher->stats().tokens < 10) std::this_thread::yield();
  lane.reset();
  EXPECT_THROW(answer.get(), std::future_error);  // dropped, not leaked
}

}  // namespace
}  // namespace lichen::model
