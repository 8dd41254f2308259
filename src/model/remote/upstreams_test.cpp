#include "model/remote/upstreams.h"

#include <gmock/gmock.h>

#include <thread>

namespace lichen::model {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Gt;
using testing::HasSubstr;
using testing::Lt;

const Failure kFailed{{Errc::upstream, "it answered 503"}, true, Fault::failed};
const Failure kUnreachable{{Errc::upstream, "refused"}, true, Fault::unreachable};

Failure busy(std::optional<double> seconds) {
  return {{Errc::rate_limited, "slow down", seconds}, true, Fault::busy};
}

class UpstreamsTest : public testing::Test {
 protected:
  void open(int count, bool probed = false) {
    std::vector<Upstreams::Named> named;
    for (int i = 0; i < count; ++i) named.push_back({"host" + std::to_string(i), weight(i)});
    options.probed = probed;
    options.now = [this] { return now; };
    options.seed = 1;
    upstreams = std::make_unique<Upstreams>(named, options);
  }
  virtual double weight(int) { return 1; }

  Upstreams::Lease pick(std::vector<std::size_t> tried = {}) {
    auto lease = upstreams->pick(Traffic::streamed, tried);
    EXPECT_TRUE(lease) << lease.error().detail;
    return lease ? *std::move(lease) : Upstreams::Lease();
  }
  /// A request to the upstream, by avoiding all others; false: it was not to be had.
  bool ask(std::size_t index, const std::optional<Failure>& failure,
           milliseconds first_token = milliseconds(100)) {
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < upstreams->size(); ++i) {
      if (i != index) others.push_back(i);
    }
    auto lease = pick(others);
    if (!lease || lease.index() != index) return false;
    if (failure) {
      lease.failed(*failure);
    } else {
      lease.answering(first_token);
      lease.succeeded();
    }
    return true;
  }
  void break_down(std::size_t index, const Failure& failure = kFailed) {
    for (int i = 0; i < options.breaker.failures; ++i) EXPECT_TRUE(ask(index, failure));
  }
  /// Breaks it down, and takes the request that is to show that it has recovered.
  Upstreams::Lease trial_of(std::size_t index) {
    break_down(index);
    now += options.breaker.pause;
    auto trial = pick();
    EXPECT_EQ(trial.index(), index);
    return trial;
  }
  /// How many of `requests`, each answered at once, go to each.
  std::vector<int> spread(int requests) {
    std::vector<int> counts(upstreams->size());
    for (int i = 0; i < requests; ++i) {
      auto lease = pick();
      ++counts[lease.index()];
      lease.succeeded();
    }
    return counts;
  }

  Clock::time_point now = Clock::time_point(std::chrono::hours(1));
  UpstreamsOptions options;
  std::unique_ptr<Upstreams> upstreams;
};

TEST_F(UpstreamsTest, LoadIsSpread) {
  open(3);
  std::vector<Upstreams::Lease> running;
  std::vector<int> counts(3);
  for (int i = 0; i < 300; ++i) {
    running.push_back(pick());
    ++counts[running.back().index()];
  }
  for (const int count : counts) EXPECT_THAT(count, AllOf(Gt(90), Lt(110)));
  EXPECT_EQ(upstreams->states()[0].in_flight, counts[0]);
  running.clear();
  EXPECT_EQ(upstreams->states()[0].in_flight, 0);
}

TEST_F(UpstreamsTest, TheFasterOneGetsMore) {
  open(2);
  ask(0, {}, milliseconds(100));
  ask(1, {}, milliseconds(400));
  std::vector<Upstreams::Lease> running;
  std::vector<int> counts(2);
  for (int i = 0; i < 100; ++i) {
    running.push_back(pick());
    ++counts[running.back().index()];
  }
  EXPECT_THAT(counts[0], AllOf(Gt(75), Lt(85))) << "four of five: as much load times latency";
}

TEST_F(UpstreamsTest, ASlowTimeIsForgottenInTheEnd) {
  open(2);
  ask(0, {}, milliseconds(100));
  ask(1, {}, milliseconds(400));
  EXPECT_EQ(spread(50)[1], 0);
  now += seconds(60);
  ask(0, {}, milliseconds(100));
  EXPECT_GT(spread(1)[1], 0) << "what was measured a minute ago says little";
}

class Weighted : public UpstreamsTest {
  double weight(int index) override { return index == 0 ? 3 : 1; }
};

TEST_F(Weighted, AHeavierOneTakesMoreLoad) {
  open(2);
  std::vector<Upstreams::Lease> running;
  int first = 0;
  for (int i = 0; i < 400; ++i) {
    running.push_back(pick());
    first += running.back().index() == 0 ? 1 : 0;
  }
  EXPECT_THAT(first, AllOf(Gt(280), Lt(320)));
}

TEST_F(UpstreamsTest, ABrokenOneGetsNothing) {
  open(3);
  break_down(1);
  EXPECT_EQ(spread(100)[1], 0);
  EXPECT_TRUE(upstreams->states()[1].open);
  EXPECT_EQ(upstreams->states()[1].last_failure, "it answered 503");
}

TEST_F(UpstreamsTest, TriedOnesComeLast) {
  open(3);
  EXPECT_EQ(pick({0, 2}).index(), 1u);
  EXPECT_TRUE(upstreams->another({0, 2}));
  break_down(1);
  EXPECT_NE(pick({0, 2}).index(), 1u);
  EXPECT_FALSE(upstreams->another({0, 2}));
}

TEST_F(UpstreamsTest, TrafficReturnsGradually) {
  open(2);
  break_down(1);
  now += options.breaker.pause;
  {
    auto trial = pick();
    ASSERT_EQ(trial.index(), 1u) << "the first request finds out";
    EXPECT_EQ(spread(20)[1], 0) << "nobody else before it is answered";
    trial.answering(milliseconds(1));
    trial.succeeded();
  }
  EXPECT_EQ(spread(100)[1], 5) << "a tenth of its half";
  now += options.breaker.recovery / 2;
  EXPECT_EQ(spread(100)[1], 25);
  now += options.breaker.recovery / 2;
  EXPECT_EQ(upstreams->states()[1].admitted, 1);
}

TEST_F(UpstreamsTest, ALoneOneThatIsBrokenRefusesAtOnce) {
  open(1);
  break_down(0);
  const auto lease = upstreams->pick(Traffic::streamed, {});
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, Errc::upstream);
  EXPECT_EQ(lease.error().retry_after_s, 5);
  EXPECT_THAT(lease.error().detail, HasSubstr("host0 failed too often, last: it answered 503"));
}

TEST_F(UpstreamsTest, OneThatAsksForAPauseIsPassedOver) {
  open(2);
  ask(0, busy(4));
  EXPECT_EQ(spread(20)[0], 0);
  now += seconds(4);
  EXPECT_GT(spread(20)[0], 0);
  EXPECT_FALSE(upstreams->states()[0].open) << "a rate limit is no fault";
}

TEST_F(UpstreamsTest, WhereAllPauseTheShortestIsAskedUnlessItIsLong) {
  open(2);
  ask(0, busy(9));
  ask(1, busy(5));
  EXPECT_EQ(pick().index(), 1u);
  ask(1, busy(3'600));
  EXPECT_EQ(pick().index(), 0u);
  ask(0, busy(40));
  const auto lease = upstreams->pick(Traffic::streamed, {});
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, Errc::rate_limited);
  EXPECT_EQ(lease.error().retry_after_s, 40);
  now += seconds(60);
  EXPECT_GT(spread(20)[1], 0) << "an hour's pause is kept to for a minute";
}

TEST_F(UpstreamsTest, AnOutlierIsEjected) {
  open(3);
  for (int i = 0; i < 12; ++i) {
    ask(1, {});
    ask(2, {});
    ask(0, {});
    ask(0, {});
    if (i % 2 == 0) ask(0, kFailed);
    if (i % 2 == 0) ask(0, kFailed);  // a third of all: too few for the breaker alone
  }
  EXPECT_TRUE(upstreams->states()[0].open);
  EXPECT_EQ(spread(50)[0], 0);
  now += options.ejection;
  EXPECT_GT(spread(50)[0], 0);
}

TEST_F(UpstreamsTest, NeverAreMoreThanHalfEjected) {
  open(3);
  break_down(1);
  for (int i = 0; i < 30; ++i) {
    ask(2, {});
    ask(0, {});
    ask(0, {});
    if (i % 2 == 0) ask(0, kFailed);
    if (i % 2 == 0) ask(0, kFailed);
  }
  EXPECT_FALSE(upstreams->states()[0].open) << "two of three would have none";
}

TEST_F(UpstreamsTest, AllFailingAlikeAreNoOutliers) {
  open(2);
  for (int i = 0; i < 30; ++i) {
    for (const std::size_t index : {0, 1}) {
      ask(index, {});
      ask(index, {});
      ask(index, kFailed);
    }
  }
  EXPECT_FALSE(upstreams->states()[0].open);
  EXPECT_FALSE(upstreams->states()[1].open);
}

TEST_F(UpstreamsTest, AnUnreachableOneWaitsForItsProbe) {
  open(2, true);
  std::vector<std::size_t> called;
  upstreams->on_unreachable([&](std::size_t index) { called.push_back(index); });
  break_down(1, kUnreachable);
  EXPECT_EQ(called, std::vector<std::size_t>{1});
  now += std::chrono::hours(1);
  EXPECT_EQ(spread(20)[1], 0) << "no request pays for finding out";
  upstreams->reachable(1);
  EXPECT_EQ(pick().index(), 1u);
}

TEST_F(UpstreamsTest, OneThatAsksForAPauseAtItsTrialGetsIt) {
  open(2);
  trial_of(1).failed(busy(30));
  EXPECT_EQ(spread(20)[1], 0);
  now += seconds(31);
  EXPECT_EQ(pick().index(), 1u);
}

TEST_F(UpstreamsTest, WhereTheLoneOneAsksForAPauseAtItsTrialThatIsSaid) {
  open(1);
  trial_of(0).failed(busy(30));
  const auto none = upstreams->pick(Traffic::streamed, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().retry_after_s, 30);
}

TEST_F(UpstreamsTest, WhatOthersHearOfAFailureQuotesNobody) {
  open(1);
  Failure failure = kFailed;
  failure.error.detail = "it answered 503 (somebody's words)";
  failure.cause = "it answered 503";
  break_down(0, failure);
  const auto none = upstreams->pick(Traffic::streamed, {});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().detail,
              AllOf(HasSubstr("it answered 503"), testing::Not(HasSubstr("words"))));
}

TEST_F(UpstreamsTest, OneThatIsLateAtItsTrialHasNotRecovered) {
  open(2);
  trial_of(1).late(milliseconds(300));
  EXPECT_TRUE(upstreams->states()[1].open);
  EXPECT_THAT(upstreams->states()[1].last_failure, HasSubstr("no token within 300 ms"));
  EXPECT_EQ(spread(20)[1], 0);
}

TEST_F(UpstreamsTest, OneThatIsLateOtherwiseIsAskedLess) {
  open(2);
  ask(0, {}, milliseconds(100));
  ask(1, {}, milliseconds(100));
  for (int i = 0; i < 10; ++i) pick({0}).late(seconds(1));
  EXPECT_FALSE(upstreams->states()[1].open) << "slow is not broken";
  EXPECT_EQ(spread(20)[1], 0);
}

TEST_F(UpstreamsTest, UntoldLeasesSayNothing) {
  open(1);
  for (int i = 0; i < 50; ++i) pick();
  for (int i = 0; i < 50; ++i) pick().failed({{Errc::cancelled, "the user left"}});
  const auto state = upstreams->states()[0];
  EXPECT_EQ(state.admitted, 1);
  EXPECT_EQ(state.in_flight, 0);
  EXPECT_EQ(state.requests, 100u);
  EXPECT_EQ(state.failures, 0u);
}

TEST_F(UpstreamsTest, ManyThreadsShareIt) {
  open(4);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 500; ++i) {
        auto lease = upstreams->pick(Traffic::streamed, {});
        if (!lease) continue;
        if (i % 7 == t) {
          lease->failed(kFailed);
        } else {
          lease->answering(milliseconds(i % 5));
          lease->succeeded();
        }
        static_cast<void>(upstreams->states());
      }
    });
  }
  threads.clear();
  std::uint64_t requests = 0;
  for (const auto& state : upstreams->states()) {
    EXPECT_EQ(state.in_flight, 0);
    requests += state.requests;
  }
  EXPECT_EQ(requests, 2'000u);
}

}  // namespace
}  // namespace lichen::model
