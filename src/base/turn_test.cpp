#include "lichen/turn.h"

#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace lichen {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class RecordingSink : public Sink {
 public:
  awaitable<bool> write(Piece piece) override {
    pieces.push_back(std::move(piece));
    co_return listening;
  }
  std::vector<Piece> pieces;
  bool listening = true;
};

Result<void> emit(Turn& turn, Piece piece) {
  asio::io_context io;
  auto done = asio::co_spawn(io, turn.emit(std::move(piece)), asio::use_future);
  io.run();
  return done.get();
}

TEST(Turn, StartsAReceipt) {
  const auto before = std::chrono::system_clock::now();
  const Turn turn("default");
  EXPECT_TRUE(turn.receipt.id.starts_with("rcpt_"));
  EXPECT_EQ(turn.receipt.plan, "default");
  EXPECT_GE(turn.receipt.started, before);
  EXPECT_FALSE(turn.stopped());
  EXPECT_FALSE(turn.streams());
  EXPECT_NE(turn.receipt.id, Turn("default").receipt.id);
}

TEST(Turn, TheReceiptHasTheAuthorsOfWhatWasShown) {
  RecordingSink sink;
  Turn turn("default", &sink);
  ASSERT_TRUE(emit(turn, {.text = "a", .model = "small", .tokens = 1}));
  ASSERT_TRUE(emit(turn, {.text = "\u00e9", .model = "small", .tokens = 2}));
  ASSERT_TRUE(emit(turn, {.text = "c", .model = "large", .tokens = 1}));
  sink.listening = false;
  ASSERT_FALSE(emit(turn, {.text = "unseen", .model = "large", .tokens = 1}));
  const auto& authors = turn.receipt.authors;
  ASSERT_EQ(authors.size(), 2u);
  EXPECT_EQ(authors[0].model, "small");
  EXPECT_EQ(authors[0].tokens, 3);
  EXPECT_EQ(authors[0].bytes, 3);
  EXPECT_EQ(authors[1].model, "large");
  EXPECT_EQ(authors[1].bytes, 1);

  Turn whole("default");
  ASSERT_TRUE(emit(whole, {.text = "a", .model = "small", .tokens = 1}));
  EXPECT_TRUE(whole.receipt.authors.empty()) << "nothing was shown";
}

TEST(Turn, TheFirstReasonWins) {
  Turn turn("default");
  turn.cancel(Errc::budget_exceeded, "0.02 USD spent");
  turn.cancel(Errc::cancelled, "too late");
  ASSERT_TRUE(turn.stopped());
  EXPECT_EQ(turn.stopped()->code, Errc::budget_exceeded);
  EXPECT_EQ(turn.stopped()->detail, "0.02 USD spent");
  EXPECT_TRUE(turn.stop_token().stop_requested());
}

TEST(Turn, StopsAfterItsDeadline) {
  Turn turn("default");
  turn.deadline = Clock::now() + 1h;
  EXPECT_FALSE(turn.stopped());
  turn.deadline = Clock::now();
  ASSERT_TRUE(turn.stopped());
  EXPECT_EQ(turn.stopped()->code, Errc::deadline_exceeded);
}

TEST(Turn, AReasonThatWasGivenGoesBeforeTheDeadline) {
  Turn turn("default");
  turn.deadline = Clock::now();
  turn.cancel(Errc::refused, "no");
  EXPECT_EQ(turn.stopped()->code, Errc::refused);
}

TEST(Turn, CancellingReachesCallbacksFromAnyThread) {
  Turn turn("default");
  std::atomic<bool> called = false;
  std::stop_callback callback(turn.stop_token(), [&] {
    called = turn.stopped().has_value();  // the reason is there before the callback runs
  });
  std::jthread([&] { turn.cancel(); }).join();
  EXPECT_TRUE(called);
}

TEST(TurnChild, StopsWithItsParentForTheSameReason) {
  Turn parent("default");
  auto child = parent.child();
  auto grandchild = child->child();
  parent.cancel(Errc::budget_exceeded, "spent");
  for (const Turn* turn : {child.get(), grandchild.get()}) {
    ASSERT_TRUE(turn->stopped());
    EXPECT_EQ(turn->stopped()->code, Errc::budget_exceeded);
    EXPECT_EQ(turn->stopped()->detail, "spent");
    EXPECT_TRUE(turn->stop_token().stop_requested());
  }
}

TEST(TurnChild, OfAStoppedParentIsStopped) {
  Turn parent("default");
  parent.cancel(Errc::refused, "no");
  auto child = parent.child();
  ASSERT_TRUE(child->stopped());
  EXPECT_EQ(child->stopped()->code, Errc::refused);
}

TEST(TurnChild, StopsAloneAndKeepsItsOwnReason) {
  Turn parent("default");
  auto child = parent.child();
  child->cancel(Errc::cancelled, "not needed any more");
  EXPECT_FALSE(parent.stopped());
  parent.cancel(Errc::budget_exceeded, "spent");
  EXPECT_EQ(child->stopped()->code, Errc::cancelled);
}

TEST(TurnChild, InheritsDeadlineAndPriorityButNotTheSink) {
  RecordingSink sink;
  Turn parent("default", &sink);
  parent.deadline = Clock::now() + 1h;
  parent.priority = Priority::background;
  auto child = parent.child();
  EXPECT_EQ(child->deadline, parent.deadline);
  EXPECT_EQ(child->priority, Priority::background);
  EXPECT_EQ(child->receipt.plan, "default");
  EXPECT_FALSE(child->streams());
  EXPECT_TRUE(emit(*child, {.text = "draft", .model = "small", .tokens = 1}));
  EXPECT_TRUE(sink.pieces.empty());
}

TEST(TurnChild, WritesToTheSinkItIsGiven) {
  RecordingSink sink, watcher;
  Turn parent("default", &sink);
  auto child = parent.child(&watcher);
  EXPECT_TRUE(child->streams());
  ASSERT_TRUE(emit(*child, {.text = "draft", .model = "small", .tokens = 1}));
  EXPECT_EQ(watcher.pieces.size(), 1u);
  EXPECT_TRUE(sink.pieces.empty());
  EXPECT_FALSE(parent.receipt.first_token_ms) << "the parent has written nothing yet";
}

TEST(TurnChild, MayBeDestroyedByItsOwnStop) {
  Turn parent("default");
  auto child = parent.child();
  std::optional<std::stop_callback<std::function<void()>>> owner;
  owner.emplace(child->stop_token(), [&] { child.reset(); });
  parent.cancel();
  EXPECT_EQ(child, nullptr);
}

TEST(TurnChild, MayGoWhileTheParentIsBeingCancelled) {
  for (int i = 0; i < 200; ++i) {
    Turn parent("default");
    auto child = parent.child();
    std::jthread canceller([&] { parent.cancel(); });
    child.reset();
  }
}

TEST(Turn, AbsorbsStepsAndDecisionsInOrder) {
  Turn parent("default");
  parent.receipt.steps = {{.model = "small", .role = "answer"}};
  parent.receipt.authors = {{.model = "small", .tokens = 1, .bytes = 2}};
  auto child = parent.child();
  child->receipt.steps = {{.model = "large", .role = "answer"},
                          {.model = "judge", .role = "answer"}};
  child->receipt.decisions = {{"cascade", "large", "unsure"}};
  child->receipt.authors = {{.model = "large", .tokens = 1, .bytes = 2}};
  parent.absorb(*child);
  ASSERT_EQ(parent.receipt.steps.size(), 3u);
  EXPECT_EQ(parent.receipt.steps[1].model, "large");
  EXPECT_EQ(parent.receipt.steps[2].model, "judge");
  ASSERT_EQ(parent.receipt.decisions.size(), 1u);
  EXPECT_EQ(parent.receipt.authors.size(), 1u) << "a child's text is not the parent's answer";
}

TEST(TurnEmit, HandsThePieceToTheSinkAndNotesTheFirstToken) {
  RecordingSink sink;
  Turn turn("default", &sink);
  EXPECT_TRUE(turn.streams());
  ASSERT_TRUE(emit(turn, {.text = "", .model = "small"}));
  EXPECT_FALSE(turn.receipt.first_token_ms) << "a piece without tokens is not the first token";
  ASSERT_TRUE(emit(turn, {.text = "forty", .model = "small", .tokens = 2}));
  ASSERT_TRUE(turn.receipt.first_token_ms);
  const double first = *turn.receipt.first_token_ms;
  EXPECT_GE(first, 0);
  ASSERT_TRUE(emit(turn, {.text = "-two", .model = "large", .tokens = 1}));
  EXPECT_EQ(turn.receipt.first_token_ms, first);
  ASSERT_EQ(sink.pieces.size(), 3u);
  EXPECT_EQ(sink.pieces[1].text, "forty");
  EXPECT_EQ(sink.pieces[2].model, "large");
}

TEST(TurnEmit, WithoutASinkStillNotesTheFirstToken) {
  Turn turn("default");
  EXPECT_TRUE(emit(turn, {.text = "x", .model = "small", .tokens = 1}));
  EXPECT_TRUE(turn.receipt.first_token_ms);
}

TEST(TurnEmit, ToASinkThatHasGoneIsCancelled) {
  RecordingSink sink;
  sink.listening = false;
  Turn turn("default", &sink);
  const Result<void> emitted = emit(turn, {.text = "x", .model = "small", .tokens = 1});
  ASSERT_FALSE(emitted);
  EXPECT_EQ(emitted.error().code, Errc::cancelled);
}

}  // namespace
}  // namespace lichen
