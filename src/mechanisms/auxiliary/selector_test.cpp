#include "mechanisms/auxiliary/selector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

std::unique_ptr<Selector> selector(const std::string& by) {
  ScriptedOptions options;
  options.choices = {{"by", by}};
  options.answerers = {
      {"verifier", std::make_shared<ScriptedModel>("large", std::vector<Script>{})}};
  return *build_selector(options);
}

std::vector<Candidate> votes(const std::vector<int>& counts) {
  std::vector<Candidate> candidates;
  for (const int count : counts) candidates.push_back({.answer = nullptr, .votes = count});
  return candidates;
}

std::vector<Candidate> scores(const std::vector<double>& values) {
  std::vector<Candidate> candidates;
  for (const double value : values) candidates.push_back({.answer = nullptr, .score = value});
  return candidates;
}

TEST(SelectorTest, AVoteEndsOnceTheLeaderCannotBeCaught) {
  const auto by = selector("agreement");
  EXPECT_EQ(by->wanted(votes({}), 5), 3);
  EXPECT_EQ(by->wanted(votes({}), 4), 3) << "two of four are no majority";
  EXPECT_EQ(by->wanted(votes({3}), 2), 0);
  EXPECT_EQ(by->wanted(votes({2, 1}), 2), 1) << "3 to 1 with one to come";
  EXPECT_EQ(by->wanted(votes({1, 2}), 1), 1) << "a tie would be the first one's";
  EXPECT_EQ(by->wanted(votes({1, 1, 1}), 2), 2);
}

TEST(SelectorTest, NoDrawOfTheVoteIsInVain) {
  // However the wanted votes fall, without the last of them the vote is never decided.
  const auto by = selector("agreement");
  for (int leader = 0; leader < 6; ++leader) {
    for (int second = 0; second <= leader; ++second) {
      for (int left = 1; left < 6; ++left) {
        const int wanted = by->wanted(votes({leader, second}), left);
        const auto decided = [&](int more) { return leader + more > second + left - more; };
        if (wanted == 0) {
          EXPECT_TRUE(decided(0));
          continue;
        }
        EXPECT_LE(wanted, left);
        EXPECT_FALSE(decided(wanted - 1)) << leader << " " << second << " " << left;
      }
    }
  }
}

TEST(SelectorTest, NoAnswerIsLikelierThanTheOthersLeaveOver) {
  const auto by = selector("logprob");
  EXPECT_EQ(by->wanted({}, 4), 1);
  EXPECT_EQ(by->wanted(scores({std::log(0.51)}), 3), 0);
  EXPECT_EQ(by->wanted(scores({std::log(0.49)}), 3), 3);
  EXPECT_EQ(by->wanted(scores({std::log(0.4), std::log(0.3)}), 2), 0);
  EXPECT_EQ(by->wanted(scores({-INFINITY}), 3), 3);
}

TEST(SelectorTest, AJudgeMayBeCertain) {
  const auto by = selector("judge");
  EXPECT_EQ(by->wanted({}, 4), 1);
  EXPECT_EQ(by->wanted(scores({0.995}), 3), 0);
  EXPECT_EQ(by->wanted(scores({0.9}), 3), 3);
}

TEST(SelectorTest, TheFirstOfTheBest) {
  EXPECT_EQ(best_of(scores({0.2, 0.7, 0.7})), 1u);
  EXPECT_EQ(best_of(scores({NAN, 0.1})), 1u);
  EXPECT_EQ(best_of(scores({-INFINITY, -INFINITY})), 0u);
}

}  // namespace
}  // namespace lichen::mechanisms
