#include "mechanisms/fusion/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <vector>

namespace lichen::mechanisms {
namespace {

TEST(Workers, DoEachPieceOnce) {
  for (const int threads : {1, 3, 8}) {
    std::vector<std::atomic<int>> times(5);
    const Workers workers(threads, {});
    EXPECT_TRUE(workers.run(times.size(), [&](std::size_t worker, std::uint64_t piece) {
      EXPECT_LT(worker, workers.count());
      ++times[piece];
      return Result<void>();
    }));
    for (const auto& count : times) EXPECT_EQ(count, 1);
  }
}

TEST(Workers, EndAtAnError) {
  std::atomic<int> calls = 0;
  const auto done = Workers(1, {}).run(100, [&](std::size_t, std::uint64_t piece) -> Result<void> {
    ++calls;
    if (piece == 3) return fail(Errc::storage, "full");
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().detail, "full");
  EXPECT_EQ(calls, 4);
}

TEST(Workers, HandExceptionsToTheCaller) {
  const Workers workers(4, {});
  EXPECT_THROW(static_cast<void>(workers.run(
                   8, [](std::size_t, std::uint64_t) -> Result<void> { throw std::bad_alloc(); })),
               std::bad_alloc);
}

TEST(Workers, CanBeStopped) {
  std::stop_source stop;
  stop.request_stop();
  const auto done = Workers(2, stop.get_token()).run(2, [](std::size_t, std::uint64_t) {
    return Result<void>();
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::cancelled);
}

}  // namespace
}  // namespace lichen::mechanisms
