#include "mechanisms/policy/plan_chooser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

constexpr double kStart = 1.7e9;  // seconds since 1970
constexpr std::size_t kSmall = 0, kLarge = 1;

/// Prompts of two kinds that differ in their words.
std::string prompt(int n) {
  const std::string number = std::to_string(n * 7919 % 997);
  return n % 2 == 0 ? "Sort the words of list " + number + " by their length."
                    : "What is the capital city of country number " + number + "?";
}
bool sorts(int n) { return n % 2 == 0; }

ChooserOptions two_arms() { return {.arms = {"small", "large"}, .safe = kLarge, .explore = 0.1}; }

/// A stream of requests, one a second, each settled at once.
class Stream {
 public:
  explicit Stream(PlanChooser& chooser) : chooser_(chooser) {}

  Choice ask(Cost large = {.budget = 1, .ms = 10}) {
    const double now = kStart + n_;
    id_ = "r" + std::to_string(n_);
    Result<Choice> choice = chooser_.choose(id_, sketch_of(prompt(n_)), now);
    if (!choice) throw std::runtime_error(choice.error().detail);
    chooser_.settle(*choice, choice->arm == kLarge ? large : Cost{.ms = 1}, now);
    ++n_;
    ++answers_[choice->arm];
    explored_ += choice->explored;
    return *choice;
  }
  const std::string& id() const { return id_; }  // of the last request
  int number() const { return n_ - 1; }
  int count() const { return n_; }
  int explored() const { return explored_; }
  int answers(std::size_t arm) const { return answers_[arm]; }

 private:
  PlanChooser& chooser_;
  int n_ = 0;
  std::string id_;
  int explored_ = 0;
  std::array<int, 2> answers_{};
};

TEST(PlanChooser, WithoutFeedbackTheSafeArmAnswersButForTheExploredShare) {
  PlanChooser chooser(two_arms());
  Stream stream(chooser);
  for (int i = 0; i < 500; ++i) {
    const Choice choice = stream.ask();
    EXPECT_EQ(choice.arm == kSmall, choice.explored);
    ASSERT_LE(stream.explored(), 0.1 * stream.count());
  }
  EXPECT_EQ(stream.explored(), 50);
}

TEST(PlanChooser, FindsTheBetterArmOfEachKind) {
  PlanChooser chooser(two_arms());
  Stream stream(chooser);
  // Each arm is right about one kind of prompt in nine of ten cases, about the other in three.
  std::mt19937 random(1);
  const auto right = [&](std::size_t arm) {
    return random() % 10 < ((arm == kSmall) == sorts(stream.number()) ? 9 : 3);
  };
  for (int i = 0; i < 3'000; ++i) {
    const Choice choice = stream.ask();
    if (i % 3 == 0 || choice.explored) chooser.feedback(stream.id(), right(choice.arm) ? 1 : 0);
  }
  int best = 0;
  for (int i = 0; i < 200; ++i) best += (stream.ask().arm == kSmall) == sorts(stream.number());
  EXPECT_GE(best, 175);
}

TEST(PlanChooser, AnArmThatIsNoBetterIsTakenWhereItIsCheaper) {
  ChooserOptions options = two_arms();
  options.second_price = 20;
  PlanChooser chooser(options);
  Stream stream(chooser);
  for (int i = 0; i < 1'000; ++i) {
    stream.ask();
    chooser.feedback(stream.id(), 1);
  }
  const int before = stream.answers(kSmall);
  for (int i = 0; i < 100; ++i) stream.ask();
  EXPECT_GE(stream.answers(kSmall) - before, 90) << "but for the explored share";
}

TEST(PlanChooser, TheRuleOnRiskHoldsAnArmBackUntilItHasShownEnough) {
  ChooserOptions options = two_arms();
  options.second_price = 20;
  options.risk = RiskTarget{.alpha = 0.1, .delta = 0.1};
  PlanChooser chooser(options);
  Stream stream(chooser);
  const auto least = least_data(*options.risk);
  int trials = 0;
  bool free = false;
  for (int i = 0; i < 2'000 && !free; ++i) {
    const Choice choice = stream.ask();
    free = choice.arm == kSmall && !choice.explored;
    trials += choice.arm == kSmall && !free;
    if (!free) chooser.feedback(stream.id(), 1);
  }
  EXPECT_TRUE(free);
  EXPECT_GE(trials, least);
  // It begins to be wrong: it is held back again, long before the regression believes it.
  int wrong = 0;
  for (int i = 0; i < 200; ++i) {
    const Choice choice = stream.ask();
    if (choice.arm == kSmall && !choice.explored) ++wrong;
    chooser.feedback(stream.id(), choice.arm == kSmall ? 0 : 1);
  }
  EXPECT_LE(wrong, 10);
}

TEST(PlanChooser, NoHourSpendsMoreThanTheBudget) {
  ChooserOptions options = two_arms();
  options.budget_per_hour = 360;
  PlanChooser chooser(options);
  Stream stream(chooser);
  // Large is right everywhere, small about one kind only.
  std::deque<int> bought;
  int spent = 0, well_spent = 0;
  for (int i = 0; i < 4 * 3'600; ++i) {
    const Choice choice = stream.ask();
    if (i % 5 == 0 || choice.explored) {
      chooser.feedback(stream.id(), choice.arm == kLarge || sorts(stream.number()) ? 1 : 0);
    }
    if (choice.arm == kLarge) bought.push_back(i);
    while (!bought.empty() && bought.front() <= i - 3'600) bought.pop_front();
    ASSERT_LE(bought.size(), 360U);
    if (i < 3'600 || choice.arm != kLarge) continue;
    ++spent;
    well_spent += !sorts(stream.number());
  }
  EXPECT_GT(spent, 0.8 * 3 * 360);
  EXPECT_GT(well_spent, 0.9 * spent) << "large is for what small cannot do";
}

TEST(PlanChooser, TheLastOfTheBudgetShowsWhatUnusedPlansCost) {
  ChooserOptions options = two_arms();
  options.budget_per_hour = 3;
  options.explore = 0;
  PlanChooser chooser(options);
  Stream stream(chooser);
  for (int i = 0; i < 10; ++i) stream.ask();
  EXPECT_EQ(stream.answers(kLarge), 3);
  EXPECT_EQ(stream.answers(kSmall), 7);
}

TEST(PlanChooser, ASpentBudgetWithoutAFreePlanIsAnError) {
  ChooserOptions options = two_arms();
  options.budget_per_hour = 2;
  options.explore = 0;
  PlanChooser chooser(options);
  for (int i = 0; i < 2; ++i) {
    const auto choice = chooser.choose("r", sketch_of("hi"), kStart);
    ASSERT_TRUE(choice);
    chooser.settle(*choice, {.budget = 1, .ms = 1}, kStart);
  }
  const auto refused = chooser.choose("r", sketch_of("hi"), kStart + 60);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::budget_exceeded);
  EXPECT_THAT(refused.error().detail, HasSubstr("2 USD per hour"));
  EXPECT_GT(refused.error().retry_after_s.value(), 3'000);
  EXPECT_TRUE(chooser.choose("r", sketch_of("hi"), kStart + 3'700));
}

TEST(PlanChooser, RequestsInProgressHoldTheirShareOfTheBudget) {
  ChooserOptions options = two_arms();
  options.budget_per_hour = 3;
  options.explore = 0;
  PlanChooser chooser(options);
  const Sketch x = sketch_of("hi");
  const auto arm_of = [&] {
    const auto choice = chooser.choose("r", x, kStart);
    return choice ? choice->arm : 99;
  };
  const auto first = chooser.choose("r", x, kStart);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->arm, kLarge);
  EXPECT_EQ(arm_of(), kSmall) << "what large costs is not known before the first is done";
  EXPECT_EQ(arm_of(), 99U) << "nor what small does";
  chooser.settle(*first, {.budget = 1, .ms = 1}, kStart);
  EXPECT_EQ(arm_of(), kLarge);
  EXPECT_EQ(arm_of(), kLarge);
  EXPECT_EQ(arm_of(), 99U) << "one is spent and two are held";
}

TEST(PlanChooser, ASlowArmIsLeftWhenTooManyAnswersAreSlow) {
  ChooserOptions options = two_arms();
  options.p95_ms = 100;
  PlanChooser chooser(options);
  Stream stream(chooser);
  int slow = 0;
  for (int i = 0; i < 2'000; ++i) {
    const Choice choice = stream.ask({.ms = 200});
    chooser.feedback(stream.id(), choice.arm == kLarge ? 1 : 0.6);
    if (i >= 1'000) slow += choice.arm == kLarge;
  }
  EXPECT_LT(slow, 100);
}

TEST(PlanChooser, TheLatestFeedbackCountsAndUnknownRequestsArePassedOver) {
  PlanChooser one(two_arms()), other(two_arms());
  Stream a(one), b(other);
  for (int i = 0; i < 100; ++i) {
    a.ask();
    b.ask();
    one.feedback(a.id(), 0);
    one.feedback(a.id(), 1);
    one.feedback(a.id(), 1);
    one.feedback("nobody's", 0);
    other.feedback(b.id(), 1);
  }
  EXPECT_EQ(a.ask().reason, b.ask().reason);
}

TEST(PlanChooser, AVerdictGivesWayToFeedback) {
  PlanChooser one(two_arms()), other(two_arms());
  Stream a(one), b(other);
  for (int i = 0; i < 50; ++i) {
    a.ask();
    b.ask();
    if (i % 2 == 0) one.judge(a.id(), 0);
    one.feedback(a.id(), 1);
    one.judge(a.id(), 0);
    other.feedback(b.id(), 1);
  }
  EXPECT_EQ(a.ask().reason, b.ask().reason);
}

TEST(PlanChooser, ForgetsTheOldestRequests) {
  PlanChooser chooser(two_arms());
  Stream stream(chooser);
  const std::string before = (stream.ask(), stream.id());
  for (std::size_t i = 0; i < PlanChooser::kMostPending; ++i) stream.ask();
  const std::string state = chooser.state();
  chooser.feedback(before, 0);
  EXPECT_EQ(chooser.state(), state);
  chooser.feedback(stream.id(), 0);
  EXPECT_NE(chooser.state(), state);
}

ChooserOptions all_options() {
  ChooserOptions options = two_arms();
  options.risk = RiskTarget{.alpha = 0.3, .delta = 0.2};
  options.budget_per_hour = 5'000;
  options.p95_ms = 5;
  return options;
}

TEST(PlanChooser, GoesOnAfterARestart) {
  PlanChooser before(all_options());
  Stream stream(before);
  for (int i = 0; i < 700; ++i) {
    stream.ask();
    if (i % 2 == 0) before.feedback(stream.id(), sorts(i) ? 1 : 0.2);
  }
  PlanChooser after(all_options());
  ASSERT_TRUE(after.restore(before.state()));
  EXPECT_EQ(after.state(), before.state());
  before.feedback(stream.id(), 1);
  after.feedback(stream.id(), 1);  // late, for a request of the run before
  for (int i = 0; i < 50; ++i) {
    const Sketch x = sketch_of(prompt(i));
    const auto a = before.choose("n" + std::to_string(i), x, kStart + 800 + i);
    const auto b = after.choose("n" + std::to_string(i), x, kStart + 800 + i);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->arm, b->arm);
    EXPECT_EQ(a->reason, b->reason);
    before.settle(*a, {.budget = 1, .ms = 3}, kStart + 800 + i);
    after.settle(*b, {.budget = 1, .ms = 3}, kStart + 800 + i);
  }
}

TEST(PlanChooser, ForeignAndDamagedStatesAreRefusedAndChangeNothing) {
  PlanChooser source(all_options());
  Stream stream(source);
  for (int i = 0; i < 100; ++i) {
    stream.ask();
    source.feedback(stream.id(), 1);
  }
  const std::string good = source.state();
  PlanChooser chooser(all_options());
  const std::string untouched = chooser.state();
  const auto refusal = [&](const std::string& state) {
    const auto restored = chooser.restore(state);
    EXPECT_EQ(chooser.state(), untouched);
    return restored ? "it was taken" : restored.error().detail;
  };
  EXPECT_THAT(refusal(""), HasSubstr("another form"));
  EXPECT_THAT(refusal("{\"version\": 2}"), HasSubstr("another form"));
  EXPECT_THAT(refusal(good.substr(0, good.size() / 2)), HasSubstr("damaged"));
  std::string flipped = good;
  flipped[good.size() / 2] ^= 1;
  EXPECT_THAT(refusal(flipped), HasSubstr("damaged"));
  ChooserOptions others = all_options();
  others.arms = {"small", "cascade"};
  EXPECT_THAT(refusal(PlanChooser(others).state()), HasSubstr("other plans or options"));
  others = all_options();
  others.budget_unit = "tokens of large";
  EXPECT_THAT(refusal(PlanChooser(others).state()), HasSubstr("other plans or options"));
  EXPECT_TRUE(chooser.restore(good));
}

TEST(PlanChooser, ManyThreadsAtOnce) {
  ChooserOptions options = all_options();
  options.budget_per_hour = 1e9;
  PlanChooser chooser(options);
  constexpr int kThreads = 8, kRequests = 300;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&chooser, t] {
      for (int i = 0; i < kRequests; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        const auto choice = chooser.choose(id, sketch_of(prompt(i)), kStart + i);
        if (!choice) continue;
        chooser.settle(*choice, {.budget = 1, .ms = 1}, kStart + i);
        chooser.feedback(id, 1);
        if (i % 100 == 0) EXPECT_FALSE(chooser.state().empty());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  PlanChooser copy(options);
  EXPECT_TRUE(copy.restore(chooser.state()));
}

}  // namespace
}  // namespace lichen::mechanisms
