#include "base/ids.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace lichen::base {
namespace {

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

TEST(NewId, IsThePrefixAndTwentySixCrockfordCharacters) {
  const std::string id = new_id("rcpt_");
  ASSERT_EQ(id.size(), 5u + 26u);
  EXPECT_TRUE(id.starts_with("rcpt_"));
  EXPECT_EQ(id.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 5), std::string::npos) << id;
  EXPECT_LE(id[5], '7') << "the first character holds three bits";
  EXPECT_EQ(new_id("").size(), 26u);
}

TEST(NewId, StartsWithTheTime) {
  const std::string_view digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const std::int64_t before = now_ms();
  const std::string id = new_id("");
  const std::int64_t after = now_ms();
  std::int64_t ms = 0;
  for (char c : id.substr(0, 10)) ms = ms * 32 + static_cast<std::int64_t>(digits.find(c));
  EXPECT_GE(ms, before);
  EXPECT_LE(ms, after + 1) << "only the 2^80th id of a millisecond goes into the next one";
}

TEST(NewId, RisesStrictly) {
  std::string last = new_id("x");
  for (int i = 0; i < 20'000; ++i) {
    std::string next = new_id("x");
    ASSERT_LT(last, next);
    last = std::move(next);
  }
}

TEST(NewId, IsUniqueOverThreadsAndRisesInEach) {
  constexpr int kThreads = 4, kIds = 2'000;
  std::vector<std::vector<std::string>> ids(kThreads);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : ids) {
      threads.emplace_back([&mine] {
        for (int i = 0; i < kIds; ++i) mine.push_back(new_id(""));
      });
    }
  }
  std::vector<std::string> all;
  for (const auto& mine : ids) {
    EXPECT_TRUE(std::ranges::is_sorted(mine));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

}  // namespace
}  // namespace lichen::base
