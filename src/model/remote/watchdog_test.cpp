#include "model/remote/watchdog.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>

namespace lichen::model {
namespace {

using std::chrono::milliseconds;

struct Watched {
  explicit Watched(std::stop_token stop = {}) : watchdog(io.get_executor(), std::move(stop)) {
    watchdog.on_hit([this] { ++hits; });
  }
  boost::asio::io_context io;
  Watchdog watchdog;
  int hits = 0;
};

TEST(Watchdog, TheEarliestBoundIsHitOnce) {
  Watched it;
  it.watchdog.limit(Bound::total, Clock::now() + milliseconds(4));
  it.watchdog.limit(Bound::deadline, Clock::now() + std::chrono::hours(1));
  it.watchdog.phase(Bound::idle, Clock::now() + std::chrono::hours(1));
  it.io.run();
  EXPECT_EQ(it.watchdog.hit(), Bound::total);
  EXPECT_EQ(it.hits, 1);
}

TEST(Watchdog, APhaseIsForgottenWithTheNext) {
  Watched it;
  it.watchdog.phase(Bound::connect, Clock::now());
  it.io.run();
  EXPECT_EQ(it.watchdog.hit(), Bound::connect);
  it.watchdog.phase(Bound::idle, Clock::now() + std::chrono::hours(1));
  EXPECT_EQ(it.watchdog.hit(), Bound::none);
}

TEST(Watchdog, APhaseMovedAwayIsNotHit) {
  Watched it;
  it.watchdog.phase(Bound::idle, Clock::now() + milliseconds(1));
  it.watchdog.phase(Bound::idle, Clock::now() + milliseconds(20));
  it.io.run();
  EXPECT_EQ(it.hits, 1);
}

TEST(Watchdog, AStopIsHitAndStays) {
  std::stop_source stop;
  Watched it(stop.get_token());
  stop.request_stop();
  it.io.poll();
  EXPECT_EQ(it.hits, 1);
  it.watchdog.end_phase();
  EXPECT_EQ(it.watchdog.hit(), Bound::stopped);
  Watched late(stop.get_token());
  EXPECT_EQ(late.watchdog.hit(), Bound::stopped);
  EXPECT_EQ(late.hits, 1) << "what is waited for after the stop ends at once";
}

TEST(Watchdog, NothingHappensAfterItsEnd) {
  boost::asio::io_context io;
  std::stop_source stop;
  int hits = 0;
  {
    Watchdog watchdog(io.get_executor(), stop.get_token());
    watchdog.on_hit([&] { ++hits; });
    watchdog.limit(Bound::total, Clock::now() + milliseconds(1));
    stop.request_stop();
  }
  io.run();
  EXPECT_EQ(hits, 0);
}

}  // namespace
}  // namespace lichen::model
