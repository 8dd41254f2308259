// Drafts on the lane: `Rows::agreed`, and steps that go first.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <random>
#include <set>

#include "model/batcher.h"
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

using Tokens = std::vector<Token>;

Tokens tokens_of(std::string_view text) { return *ByteVocabulary().tokenize(text, false); }

Tokens expected(const ScriptedBackend::Script& script, Tokens prompt, int count) {
  Tokens written;
  for (int i = 0; i < count; ++i) {
    written.push_back(script(prompt));
    prompt.push_back(written.back());
  }
  return written;
}

/// Refuses to go on after `limit` tokens.
class Failing : public Sampler {
 public:
  explicit Failing(int limit) : limit_(limit) {}
  Result<Token> sample(std::span<const float> logits) override {
    if (limit_-- == 0) return fail(Errc::unsupported, "no more");
    return static_cast<Token>(std::ranges::max_element(logits) - logits.begin());
  }

 private:
  int limit_;
};

class DraftTest : public ::testing::Test {
 protected:
  std::shared_ptr<Batcher> add(Backend::Limits limits) {
    return lane_.add(std::make_unique<ScriptedBackend>(limits, script_), {});
  }
  template <class T>
  T run(awaitable<T> coroutine) {
    return spawn(std::move(coroutine)).get();
  }
  template <class T>
  std::future<T> spawn(awaitable<T> coroutine) {
    return asio::co_spawn(lane_.executor(), std::move(coroutine), asio::use_future);
  }

  const ScriptedBackend::Script script_ = hashing_script(1'000'000);
  Lane lane_{"test"};
};

struct Checked {
  Result<std::vector<Row>> rows;
  int held = 0;
  Token next = -1;  // of another step behind that
};

awaitable<Checked> check(Batcher& batcher, Turn& turn, Tokens prompt, Tokens step,
                         Sampler* sampler = nullptr) {
  Session session = batcher.open(turn);
  std::ignore = co_await session.decode(prompt);
  const Want want{.rows = Want::Rows::agreed, .sampler = sampler};
  Checked checked{.rows = co_await session.decode(step, want)};
  checked.held = session.size();
  if (checked.rows) {
    const Token token = checked.rows->back().token;
    auto next = co_await session.decode(std::span(&token, 1));
    checked.next = next->front().token;
  }
  co_return checked;
}

TEST_F(DraftTest, AllOfARightDraftIsKept) {
  auto batcher = add(kLimits);
  Turn turn("test");
  const Tokens prompt = tokens_of("hello"), right = expected(script_, prompt, 8);
  const Checked checked =
      run(check(*batcher, turn, prompt, Tokens(right.begin(), right.end() - 2)));
  ASSERT_TRUE(checked.rows) << checked.rows.error().detail;
  ASSERT_EQ(checked.rows->size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ((*checked.rows)[i].token, right[i + 1]);
  EXPECT_EQ(checked.held, 5 + 6);
  EXPECT_EQ(checked.next, right[7]);
}

TEST_F(DraftTest, RowsEndWhereTheModelChoosesAnotherToken) {
  auto batcher = add(kLimits);
  Turn turn("test");
  const Tokens prompt = tokens_of("hello"), right = expected(script_, prompt, 5);
  const Tokens draft = {right[0], right[1], right[2], '!', right[4]};
  const Checked checked = run(check(*batcher, turn, prompt, draft));
  ASSERT_TRUE(checked.rows);
  ASSERT_EQ(checked.rows->size(), 3U);
  EXPECT_EQ(checked.rows->back().token, right[3]);
  EXPECT_EQ(checked.held, 5 + 3) << "the refused ones are gone";
  EXPECT_EQ(checked.next, right[4]);
}

TEST_F(DraftTest, TheSamplerHearsOfNoRowBehindThat) {
  auto batcher = add(kLimits);
  Turn turn("test");
  const Tokens prompt = tokens_of("hello"), right = expected(script_, prompt, 2);
  Failing third(2);
  const Checked checked = run(check(*batcher, turn, prompt, {right[0], '!', '!', '!'}, &third));
  ASSERT_TRUE(checked.rows);
  EXPECT_EQ(checked.rows->size(), 1U);
}

TEST_F(DraftTest, ASamplersErrorIsTheSteps) {
  auto batcher = add(kLimits);
  Turn turn("test");
  const Tokens prompt = tokens_of("hello");
  Failing second(1);
  const Checked checked = run(check(*batcher, turn, prompt, expected(script_, prompt, 4), &second));
  ASSERT_FALSE(checked.rows);
  EXPECT_EQ(checked.rows.error().detail, "no more");
}

/// Writes `count` tokens with drafts that are right for a random length.
awaitable<Tokens> write(Batcher& batcher, Turn& turn, ScriptedBackend::Script script, Tokens prompt,
                        std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  Session session = batcher.open(turn);
  auto rows = co_await session.decode(prompt);
  Tokens written = {rows->back().token};
  Tokens text = prompt;
  while (written.size() < count) {
    text = prompt;
    text.insert(text.end(), written.begin(), written.end());
    Tokens step = {written.back()};
    const Tokens right = expected(script, text, static_cast<int>(random() % 6));
    step.insert(step.end(), right.begin(), right.end());
    if (random() % 2 == 0) step.insert(step.end(), random() % 4, '!');
    const Want want{.rows = Want::Rows::agreed};
    rows = co_await session.decode(step, want);
    if (!rows) co_return Tokens{};
    for (const Row& row : *rows) written.push_back(row.token);
    if (session.size() != static_cast<int>(prompt.size() + written.size() - 1)) co_return Tokens{};
  }
  written.resize(count);
  co_return written;
}

TEST_F(DraftTest, ManySessionsDraftInLittleRoom) {
  Backend::Limits tight = kLimits;
  tight.cells = 220;
  tight.batch = 24;
  tight.outputs = 24;
  tight.sequences = 6;
  auto batcher = add(tight);
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Tokens>> written;
  for (unsigned i = 0; i < 20; ++i) {
    turns.push_back(std::make_unique<Turn>("test"));
    const Tokens prompt = tokens_of("prompt number " + std::to_string(i));
    written.push_back(spawn(write(*batcher, *turns.back(), script_, prompt, 60, i)));
  }
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_EQ(written[i].get(),
              expected(script_, tokens_of("prompt number " + std::to_string(i)), 60));
  }
  EXPECT_GT(batcher->stats().preemptions, 0U);
}

awaitable<void> step(Batcher& batcher, Turn& turn, int steps, bool first,
                     std::shared_ptr<std::vector<std::string>> log, std::string name) {
  Session session = batcher.open(turn);
  const Tokens token = {'a'};
  for (int i = 0; i < steps; ++i) {
    const Want want{.first = first};
    std::ignore = co_await session.decode(token, want);
    log->push_back(name);
  }
}

TEST_F(DraftTest, OtherModelsWaitForStepsThatGoFirst) {
  auto large = add(kLimits);
  auto small = add(kLimits);
  Turn turn("test");
  auto log = std::make_shared<std::vector<std::string>>();
  std::future<void> writing, drafting;
  lane_.call([&] {
    writing = spawn(step(*large, turn, 2, false, log, "large"));
    drafting = spawn(step(*small, turn, 3, true, log, "small"));
  });
  writing.get();
  drafting.get();
  EXPECT_EQ(*log, (std::vector<std::string>{"small", "small", "small", "large", "large"}));
}

TEST_F(DraftTest, AStepThatFindsNoRoomHoldsUpNobody) {
  auto large = add(kLimits);
  Backend::Limits none = kLimits;
  none.cells = 8;
  none.sequences = 1;
  auto small = add(none);
  Turn holding("test"), turn("test");
  holding.priority = Priority::interactive;
  auto log = std::make_shared<std::vector<std::string>>();
  std::future<void> writing, drafting;
  std::optional<Session> held;
  auto hold = [](Batcher& batcher, Turn& by, std::optional<Session>& out) -> awaitable<void> {
    out.emplace(batcher.open(by));
    const Tokens token = {'a'};
    std::ignore = co_await out->decode(token);
  };
  spawn(hold(*small, holding, held)).get();
  writing = spawn(step(*large, turn, 2, false, log, "large"));
  drafting = spawn(step(*small, turn, 1, true, log, "small"));
  writing.get();
  drafting.get();
  lane_.call([&] { held.reset(); });
  EXPECT_EQ(log->size(), 3U);
}

}  // namespace
}  // namespace lichen::model
