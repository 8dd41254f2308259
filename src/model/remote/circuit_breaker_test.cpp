#include "model/remote/circuit_breaker.h"

#include <gtest/gtest.h>

#include <vector>

namespace lichen::model {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum BreakerState;

class CircuitBreakerTest : public testing::Test {
 protected:
  CircuitBreaker::Ticket pass() {
    const auto ticket = breaker.admit(1, now);
    EXPECT_TRUE(ticket);
    return ticket.value_or(CircuitBreaker::Ticket{});
  }
  void fail() { breaker.failed(pass(), now); }
  void succeed() { breaker.succeeded(pass(), now); }
  void fail(int times) {
    for (int i = 0; i < times; ++i) fail();
  }
  /// How many of `requests` pass at this moment.
  int passing(int requests, double fair_share = 1) {
    int passed = 0;
    for (int i = 0; i < requests; ++i) passed += breaker.admit(fair_share, now) ? 1 : 0;
    return passed;
  }

  const BreakerOptions options;
  CircuitBreaker breaker{options};
  Clock::time_point now = Clock::time_point(std::chrono::hours(1));
};

TEST_F(CircuitBreakerTest, OpensAfterFailuresInARow) {
  fail(options.failures - 1);
  succeed();
  fail(options.failures - 1);
  EXPECT_EQ(breaker.state(now), closed);
  fail();
  EXPECT_EQ(breaker.state(now), open);
  EXPECT_FALSE(breaker.admit(1, now));
  EXPECT_EQ(breaker.opens_until(), now + options.pause);
}

TEST_F(CircuitBreakerTest, OpensByItsShareOfErrors) {
  for (int i = 0; i < 4; ++i) {
    succeed();
    fail();
  }
  succeed();
  EXPECT_EQ(breaker.state(now), closed);
  fail();  // ten requests now, half of them failed
  EXPECT_EQ(breaker.state(now), open);
}

TEST_F(CircuitBreakerTest, OldErrorsAreForgotten) {
  for (int i = 0; i < 4; ++i) {
    succeed();
    fail();
  }
  now += options.window + seconds(3);
  EXPECT_EQ(breaker.counts(now).requests, 0);
  succeed();
  fail();
  EXPECT_EQ(breaker.state(now), closed);
}

TEST_F(CircuitBreakerTest, ATrialComesFirst) {
  fail(options.failures);
  now += options.pause - milliseconds(1);
  EXPECT_EQ(breaker.state(now), open);
  now += milliseconds(1);
  EXPECT_EQ(breaker.state(now), half_open);
  const auto trial = pass();
  EXPECT_FALSE(breaker.admit(1, now)) << "one trial at a time";
  breaker.abandoned(trial);
  EXPECT_TRUE(breaker.admit(1, now)) << "whose user left says nothing: the next one tries";
}

TEST_F(CircuitBreakerTest, TrafficReturnsGradually) {
  fail(options.failures);
  now += options.pause;
  breaker.answering(pass(), now);
  EXPECT_EQ(breaker.state(now), half_open);
  EXPECT_EQ(passing(100), 10);
  now += options.recovery / 2;
  EXPECT_EQ(passing(100), 50);
  EXPECT_EQ(passing(100, 0.5), 25) << "half of the traffic is another's";
  now += options.recovery / 2;
  EXPECT_EQ(breaker.state(now), closed);
  EXPECT_EQ(passing(100), 100);
}

TEST_F(CircuitBreakerTest, AFailedTrialOpensItForLonger) {
  fail(options.failures);
  auto pause = options.pause;
  for (int i = 0; i < 6; ++i) {
    now += pause;
    ASSERT_EQ(breaker.state(now), half_open);
    fail();
    pause = std::min(2 * pause, options.longest_pause);
    EXPECT_EQ(breaker.opens_until(), now + pause);
  }
  EXPECT_EQ(pause, options.longest_pause);
}

TEST_F(CircuitBreakerTest, OneErrorWithinTheRecoveryIsBorneTwoAreNot) {
  fail(options.failures);
  now += options.pause;
  succeed();
  now += options.recovery / 2;
  std::vector<CircuitBreaker::Ticket> tickets;
  for (int i = 0; i < 4; ++i) {
    if (const auto ticket = breaker.admit(1, now)) tickets.push_back(*ticket);
  }
  ASSERT_EQ(tickets.size(), 2u) << "half of them";
  breaker.failed(tickets[0], now);
  EXPECT_EQ(breaker.state(now), half_open);
  breaker.failed(tickets[1], now);
  EXPECT_EQ(breaker.state(now), open);
}

TEST_F(CircuitBreakerTest, AfterRecoveryThePauseIsTheFirstAgain) {
  fail(options.failures);
  now += options.pause;
  fail();
  now += 2 * options.pause;
  succeed();
  now += options.recovery;
  fail(options.failures);
  EXPECT_EQ(breaker.opens_until(), now + options.pause);
}

TEST_F(CircuitBreakerTest, WhatPassedBeforeItOpenedCountsNoMore) {
  const auto early = pass();
  fail(options.failures);
  now += options.pause;
  breaker.succeeded(early, now);
  EXPECT_TRUE(pass().trial) << "still none was answered since";
  breaker.failed(early, now);
  EXPECT_EQ(breaker.state(now), half_open);
}

TEST_F(CircuitBreakerTest, WaitsForAProbeHoweverLong) {
  fail(options.failures);
  breaker.wait_for_probe();
  now += std::chrono::hours(1);
  EXPECT_EQ(breaker.state(now), open);
  EXPECT_FALSE(breaker.opens_until());
  breaker.end_wait(now);
  EXPECT_EQ(breaker.state(now), half_open);
  EXPECT_TRUE(pass().trial);
}

}  // namespace
}  // namespace lichen::model
