#include "mechanisms/auxiliary/guarded_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kWindow = 64;

class GuardedStreamTest : public testing::Test {
 protected:
  /// Writes the text in pieces of `size` bytes and ends it. True: all of it was passed on.
  bool stream(const std::string& text, std::size_t size, const std::string& more = {}) {
    const auto judge = [this](std::string part) { return judged(std::move(part)); };
    GuardedStream guarded(turn_, kWindow, judge);
    bool listens = true;
    for (std::size_t at = 0; at < text.size() && listens; at += size) {
      Piece piece{.text = text.substr(at, size), .model = "large", .tokens = 1};
      listens = run(guarded.write(std::move(piece)));
    }
    if (!listens) {
      EXPECT_TRUE(guarded.failure());
      return false;
    }
    return run(guarded.finish(more)).has_value();
  }
  awaitable<Result<void>> judged(std::string part) {
    parts_.push_back(part);
    if (part.contains(secret_)) co_return fail(Errc::refused, "no");
    co_return Result<void>{};
  }

  std::string secret_ = "swordfish";
  std::vector<std::string> parts_;  // that were judged
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
};

TEST_F(GuardedStreamTest, PassesAllOnInItsPieces) {
  const std::string text =
      "Good morning. The weather is fine, and all is well in the garden today.";
  for (const std::size_t size : {1, 5, 31, 32, 33, 200}) {
    sink_.pieces.clear();
    EXPECT_TRUE(stream(text, size)) << size;
    EXPECT_EQ(sink_.text(), text) << size;
    EXPECT_THAT(sink_.pieces, SizeIs((text.size() + size - 1) / size));
  }
}

TEST_F(GuardedStreamTest, AShortAnswerIsJudgedOnce) {
  EXPECT_TRUE(stream("All is well.", 4));
  EXPECT_THAT(parts_, ElementsAre("All is well."));
}

TEST_F(GuardedStreamTest, HoldsBackNoMoreThanAWindow) {
  EXPECT_TRUE(stream(std::string(1'000, 'a'), 4));
  EXPECT_THAT(parts_, Each(SizeIs(testing::Le(kWindow))));
  EXPECT_THAT(parts_, SizeIs(testing::Le(2 * 1'000 / kWindow + 1)));
}

TEST_F(GuardedStreamTest, NothingOfASecretIsShownWhereverItStands) {
  for (const std::size_t size : {1, 3, 17, 40}) {
    for (std::size_t before = 0; before < 3 * kWindow; ++before) {
      sink_.pieces.clear();
      const std::string text = std::string(before, '.') + secret_ + std::string(100, '.');
      EXPECT_FALSE(stream(text, size)) << size << " " << before;
      EXPECT_THAT(sink_.text(), Each('.')) << size << " " << before;
    }
  }
}

TEST_F(GuardedStreamTest, WhatWasNotStreamedIsJudgedToo) {
  EXPECT_FALSE(stream("All is well.", 4, "call(swordfish)"));
  EXPECT_THAT(sink_.pieces, IsEmpty());
}

TEST_F(GuardedStreamTest, WhatIsThoughtAloudIsJudgedToo) {
  const auto judge = [this](std::string part) { return judged(std::move(part)); };
  GuardedStream guarded(turn_, kWindow, judge);
  EXPECT_TRUE(run(guarded.write({.text = {}, .model = "large", .reasoning = "it is sword"})));
  EXPECT_TRUE(run(guarded.write({.text = {}, .model = "large", .reasoning = "fish"})));
  EXPECT_EQ(guarded.reasoning(), 15u);
  EXPECT_FALSE(run(guarded.finish({})));
  EXPECT_THAT(sink_.pieces, IsEmpty());
}

TEST_F(GuardedStreamTest, EndsWhenNobodyListens) {
  CollectingSink deaf(1);
  Turn turn("plan", &deaf);
  GuardedStream guarded(turn, kWindow,
                        [this](std::string part) { return judged(std::move(part)); });
  bool listens = true;
  for (int i = 0; i < 100 && listens; ++i) {
    Piece piece{.text = "well. ", .model = "large"};
    listens = run(guarded.write(std::move(piece)));
  }
  EXPECT_FALSE(listens);
  EXPECT_EQ(guarded.failure().value().code, Errc::cancelled);
}

}  // namespace
}  // namespace lichen::mechanisms
