#include "model/thread_choice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace lichen::model {
namespace {

using Seconds = std::chrono::duration<double>;

/// Passes one after the other, each as long as `cost` says for its number of threads.
class Machine {
 public:
  explicit Machine(ThreadChoice& choice) : choice_(choice) {}

  /// Share of the passes' time that was spent beyond the best.
  double run(int passes, int tokens, const std::function<double(int)>& cost, double best) {
    double spent = 0;
    for (int i = 0; i < passes; ++i) {
      const int threads = choice_.choose(tokens, now_);
      const Seconds time(cost(threads));
      choice_.took(time);
      now_ += std::chrono::duration_cast<ThreadChoice::Clock::duration>(time);
      spent += time.count();
    }
    return spent / (passes * best) - 1;
  }

 private:
  ThreadChoice& choice_;
  ThreadChoice::Clock::time_point now_{};
};

TEST(ThreadChoice, FindsTheFastestAndStaysWithIt) {
  ThreadChoice choice(8);
  Machine machine(choice);
  auto scales = [](int threads) { return 0.008 / threads; };
  machine.run(100, 1, scales, 0.001);
  EXPECT_EQ(choice.fastest(1), 8);
  EXPECT_LT(machine.run(10'000, 1, scales, 0.001), 0.02);
}

TEST(ThreadChoice, ATinyModelStaysOnOneThread) {
  ThreadChoice choice(2);
  Machine machine(choice);
  machine.run(100, 1, [](int threads) { return threads == 1 ? 1e-4 : 1.2e-4; }, 1e-4);
  EXPECT_EQ(choice.fastest(1), 1);
}

TEST(ThreadChoice, AThreadMoreMustBeWorthIt) {
  ThreadChoice choice(2);
  Machine machine(choice);
  machine.run(100, 1, [](int threads) { return threads == 1 ? 1e-3 : 0.98e-3; }, 1e-3);
  EXPECT_EQ(choice.fastest(1), 1);
}

TEST(ThreadChoice, TryingWhatIsNearlyAsFastCostsLittle) {
  ThreadChoice choice(2);
  Machine machine(choice);
  auto near = [](int threads) { return threads == 1 ? 5.9e-3 : 5e-3; };
  machine.run(100, 8, near, 5e-3);
  EXPECT_EQ(choice.fastest(8), 2);
  EXPECT_LT(machine.run(10'000, 8, near, 5e-3), 0.01);
}

TEST(ThreadChoice, GivesWayToOthersAndComesBack) {
  ThreadChoice choice(2);
  Machine machine(choice);
  auto quiet = [](int threads) { return 0.002 / threads; };
  auto busy = [](int threads) { return threads == 1 ? 0.003 : 0.020; };
  machine.run(1'000, 1, quiet, 0.001);
  EXPECT_EQ(choice.fastest(1), 2);
  machine.run(3, 1, busy, 0.003);
  EXPECT_EQ(choice.fastest(1), 1);
  EXPECT_LT(machine.run(10'000, 1, busy, 0.003), 0.05);
  machine.run(3'000, 1, quiet, 0.001);  // at most four seconds of patience
  EXPECT_EQ(choice.fastest(1), 2);
}

TEST(ThreadChoice, SizesAreJudgedApart) {
  ThreadChoice choice(2);
  Machine machine(choice);
  machine.run(100, 1, [](int threads) { return threads * 1e-3; }, 1e-3);
  machine.run(100, 64, [](int threads) { return 1e-2 / threads; }, 5e-3);
  EXPECT_EQ(choice.fastest(1), 1);
  EXPECT_EQ(choice.fastest(64), 2);
}

TEST(ThreadChoice, FixedIsFixed) {
  ThreadChoice choice(8);
  choice.fix(3);
  Machine machine(choice);
  machine.run(100, 1, [](int threads) { return threads * 1e-3; }, 3e-3);
  EXPECT_EQ(choice.fastest(1), 3);
  EXPECT_EQ(choice.choose(512, {}), 3);
}

TEST(ThreadChoice, GoesByWhatAnotherKnew) {
  auto scales = [](int threads) { return 0.008 / threads; };
  ThreadChoice before(8);
  Machine(before).run(100, 1, scales, 0.001);
  ThreadChoice choice(8);
  const ThreadChoice::Clock::time_point start{std::chrono::hours(1)};
  ASSERT_TRUE(choice.recall(before.times(), start));
  EXPECT_EQ(choice.fastest(1), 8);
  EXPECT_EQ(choice.choose(1, start), 8) << "nothing is tried for being new";
  choice.took(Seconds(0.001));
  EXPECT_EQ(choice.times().at(1).at(0), 0) << "a size of which nothing was known";
  Machine machine(choice);
  auto busy = [](int threads) { return threads == 1 ? 0.003 : 0.020; };
  machine.run(100, 1, busy, 0.003);
  EXPECT_EQ(choice.fastest(1), 1) << "times change";
}

TEST(ThreadChoice, DoesNotGoByTimesOfOtherChoices) {
  ThreadChoice before(4);
  Machine(before).run(100, 1, [](int threads) { return 0.008 / threads; }, 0.002);
  const ThreadChoice::Times times = before.times();
  ThreadChoice other(8);
  EXPECT_FALSE(other.recall(times, {}));
  ThreadChoice fixed(4);
  fixed.fix(4);
  EXPECT_FALSE(fixed.recall(times, {}));
  ThreadChoice same(4);
  for (const double wrong : {-1.0, std::nan(""), HUGE_VAL}) {
    ThreadChoice::Times broken = times;
    broken[0][1] = wrong;
    EXPECT_FALSE(same.recall(broken, {})) << wrong;
  }
  ThreadChoice::Times cut = times;
  cut.pop_back();
  EXPECT_FALSE(same.recall(cut, {}));
  EXPECT_EQ(same.times().at(0).at(0), 0) << "nothing has changed";
}

}  // namespace
}  // namespace lichen::model
