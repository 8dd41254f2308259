#include "mechanisms/routing/critical_token.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "model/rows.h"

namespace lichen::mechanisms {
namespace {

/// A row of a distribution, with all that criteria look at.
Row row(std::initializer_list<double> probabilities) {
  Row row;
  for (const double p : probabilities) row.logits.push_back(static_cast<float>(std::log(p)) + 3);
  const double norm = model::log_sum_exp(row.logits);
  row.token = model::argmax(row.logits);
  row.top = model::top_k(row.logits, 2, norm);
  row.logprob = row.top.front().logprob;
  row.entropy = static_cast<float>(model::entropy(row.logits, norm));
  return row;
}

double of(std::string_view name, const Row& row) { return find_criterion(name)->of(row, nullptr); }

TEST(Criteria, MeasureWhatTheySay) {
  const Row half = row({0.5, 0.3, 0.2});
  EXPECT_NEAR(of("entropy", half), 1.0297, 1e-4);
  EXPECT_NEAR(of("margin", half), 0.2, 1e-6);
  EXPECT_NEAR(of("entropy", row({1.0, 0, 0})), 0, 1e-6);
  EXPECT_NEAR(of("margin", row({1.0, 0, 0})), 1, 1e-6);
}

TEST(Criteria, EntropyIsCriticalFromTheThresholdOnAndAMarginUnderIt) {
  const Criterion& entropy = *find_criterion("entropy");
  EXPECT_TRUE(entropy.critical(0, 0));
  EXPECT_TRUE(entropy.critical(0.8, 0.8));
  EXPECT_FALSE(entropy.critical(0.79, 0.8));
  const Criterion& margin = *find_criterion("margin");
  EXPECT_FALSE(margin.critical(0, 0));
  EXPECT_FALSE(margin.critical(0.3, 0.3));
  EXPECT_TRUE(margin.critical(0.29, 0.3));
}

TEST(Criteria, WhatIsNoNumberIsCritical) {
  for (const Criterion& one : criteria()) {
    EXPECT_TRUE(one.critical(std::nan(""), one.threshold)) << one.name;
    EXPECT_TRUE(one.critical(one.low_is_critical ? 1 : 0, one.all_critical())) << one.name;
  }
  EXPECT_TRUE(std::isnan(of("margin", Row())));
}

TEST(Criteria, TheirSequencesGoFromTheSafestToTheBoldest) {
  for (const Criterion& one : criteria()) {
    std::vector<double> turned;
    for (const double limit : one.sequence) {
      EXPECT_TRUE(limit > 0 && limit <= one.most) << one.name;
      turned.push_back(one.turned(limit));
    }
    EXPECT_TRUE(std::ranges::is_sorted(turned, std::less_equal{})) << one.name;
    EXPECT_EQ(one.turned(turned.front()), one.sequence.front());
  }
}

class CountingSampler : public Sampler {
 public:
  Result<Token> sample(std::span<const float>) override {
    if (++calls == 2) return fail(Errc::internal, "no token fits");
    return 1;
  }
  int calls = 0;
};

TEST(CriticalGateTest, KeepsCriticalRowsFromTheSampler) {
  CountingSampler sampler;
  const CriticalRule rule{.criterion = find_criterion("margin"), .threshold = 0.3};
  CriticalGate gate(rule, {.sampler = &sampler, .top_k = 1});
  EXPECT_TRUE(gate.want().logits);
  EXPECT_EQ(gate.want().sampler, nullptr);
  EXPECT_EQ(gate.want().top_k, 2);
  Row sure = row({0.9, 0.1});
  EXPECT_FALSE(*gate.critical(sure));
  EXPECT_EQ(sure.token, 1) << "the sampler's";
  EXPECT_NEAR(sure.logprob, std::log(0.1), 1e-6) << "of that token";
  EXPECT_EQ(sure.top.size(), 1u) << "as many as the answer wants";
  EXPECT_TRUE(sure.logits.empty());
  Row unsure = row({0.4, 0.6});
  EXPECT_TRUE(*gate.critical(unsure));
  EXPECT_EQ(unsure.token, 1) << "small's likeliest";
  EXPECT_EQ(sampler.calls, 1);
  EXPECT_EQ(gate.rows(), 2);
  EXPECT_EQ(gate.critical_rows(), 1);
  EXPECT_NEAR(*gate.extreme(), 0.2, 1e-6);
  unsure = row({0.4, 0.6});
  EXPECT_EQ(gate.critical(unsure, false).error().detail, "no token fits")
      << "not to be handed over";
}

TEST(CriticalGateTest, WithoutASamplerItIsTheArgmax) {
  const CriticalRule rule{.criterion = find_criterion("entropy"), .threshold = 100};
  CriticalGate gate(rule, {.hidden = true});
  EXPECT_EQ(gate.extreme(), std::nullopt);
  EXPECT_FALSE(gate.want().logits) << "a copy of the row is not free";
  Row one = row({0.2, 0.8});
  one.hidden = {1, 2};
  EXPECT_FALSE(*gate.critical(one));
  EXPECT_EQ(one.token, 1);
  EXPECT_EQ(one.hidden.size(), 2u) << "the answer wants it";
}

}  // namespace
}  // namespace lichen::mechanisms
