#include "cli/watch_state.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace lichen::cli {
namespace {

class WatchStateTest : public testing::Test {
 protected:
  ~WatchStateTest() override { std::filesystem::remove(file_); }
  const std::filesystem::path file_ =
      testing::TempDir() + "lichen-watch-state-" + std::to_string(getpid());
};

TEST_F(WatchStateTest, IsReadAsItWasWritten) {
  EXPECT_EQ(*load_watch_state(file_), WatchState{}) << "before the first round";
  const WatchState state{
      .rounds = 3, .prompts = 800, .ended = 1'700'000'000, .begun_with = 950, .trained = true};
  ASSERT_TRUE(save_watch_state(state, file_));
  EXPECT_EQ(*load_watch_state(file_), state);
}

TEST_F(WatchStateTest, DamageIsSaid) {
  for (const char* text :
       {"", "{}", "[]", R"({"rounds":-1,"prompts":0,"ended":0,"begun_with":0,"trained":false})",
        R"({"rounds":1,"prompts":0,"ended":0,"begun_with":0,"trained":1})",
        R"({"rounds":99999999999,"prompts":0,"ended":0,"begun_with":0,"trained":false})"}) {
    std::ofstream(file_) << text;
    const auto state = load_watch_state(file_);
    ASSERT_FALSE(state) << text;
    EXPECT_EQ(state.error().code, Errc::bad_config);
  }
}

TEST(WatchTrigger, ARoundIsDueByPromptsOrByTime) {
  const WatchState state{.rounds = 1, .prompts = 100, .ended = 1'000};
  const WatchTrigger by_records{.records = 50};
  EXPECT_FALSE(is_due(state, by_records, 149, 1'000'000));
  EXPECT_TRUE(is_due(state, by_records, 150, 1'000));
  const WatchTrigger by_time{.every = 60};
  EXPECT_FALSE(is_due(state, by_time, 101, 1'059));
  EXPECT_TRUE(is_due(state, by_time, 101, 1'060));
  EXPECT_FALSE(is_due(state, by_time, 100, 5'000)) << "nothing new to learn";
  EXPECT_FALSE(is_due(state, by_records, 10, 1'000)) << "a ledger that was begun anew";
}

TEST(WatchTrigger, ARoundThatIsUnderWayGoesOn) {
  EXPECT_TRUE(is_due({.begun_with = 5}, {.records = 1'000}, 5, 0));
}

}  // namespace
}  // namespace lichen::cli
