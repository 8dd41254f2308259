#include "mechanisms/distillation/training/torch/losses.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace lichen::training {
namespace {

constexpr std::int64_t kTokens = 5, kVocabulary = 12;

at::Tensor random(std::vector<std::int64_t> shape, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator, at::TensorOptions().dtype(at::kDouble)) * 1.5;
}

at::Tensor student_logits() { return random({kTokens, kVocabulary}, 1); }
at::Tensor teacher_row() { return at::log_softmax(random({kTokens, kVocabulary}, 2), -1); }

Targets full_row(const at::Tensor& logprobs) { return {logprobs.argmax(-1), logprobs}; }

/// The k likeliest of a row, and the tail.
Targets likeliest(const at::Tensor& row, std::int64_t k) {
  auto [logprobs, ids] = row.topk(k, -1);
  const at::Tensor rest = 1 - logprobs.exp().sum(-1);
  return {row.argmax(-1), logprobs, ids, rest.clamp_min(1e-300).log()};
}

/// Of a teacher with another vocabulary.
Targets sorted_probabilities(std::int64_t vocabulary) {
  const at::Tensor row = at::log_softmax(random({kTokens, vocabulary}, 3), -1);
  return {at::zeros({kTokens}, at::kLong), std::get<0>(row.sort(-1, /*descending=*/true))};
}

double mean(const at::Tensor& logits, const Targets& targets, const LossOptions& options) {
  return token_losses(logits, targets, options).mean().item<double>();
}

/// The greatest difference between the gradient and central differences, as a share of the
/// greatest element of the gradient.
double gradient_error(const Targets& targets, const LossOptions& options) {
  at::Tensor logits = student_logits().requires_grad_(true);
  token_losses(logits, targets, options).mean().backward();
  const at::Tensor gradient = logits.grad();
  double furthest = 0;
  for (std::int64_t t = 0; t < kTokens; ++t) {
    for (std::int64_t v = 0; v < kVocabulary; ++v) {
      constexpr double kStep = 1e-3;
      // Richardson's extrapolation of two central differences: its error is of the fourth order.
      const auto central = [&](double step) {
        at::Tensor moved = student_logits();
        moved[t][v] += step;
        const double up = mean(moved, targets, options);
        moved[t][v] -= 2 * step;
        return (up - mean(moved, targets, options)) / (2 * step);
      };
      const double numeric = (4 * central(kStep / 2) - central(kStep)) / 3;
      furthest = std::max(furthest, std::abs(numeric - gradient[t][v].item<double>()));
    }
  }
  return furthest / gradient.abs().max().item<double>();
}

std::vector<LossOptions> all_divergences() {
  return {{LossKind::forward_kl},
          {LossKind::reverse_kl},
          {LossKind::jsd, 0.3},
          {LossKind::skew_kl, 0.5, 0.2},
          {LossKind::skew_reverse_kl, 0.5, 0.2},
          {LossKind::tvd}};
}

TEST(Losses, GradientsAreThoseOfFiniteDifferences) {
  const auto check = [](const Targets& targets, const LossOptions& options, const char* form) {
    EXPECT_LE(gradient_error(targets, options), 1e-8)
        << static_cast<int>(options.kind) << " " << form;
  };
  check(full_row(teacher_row()), {LossKind::sft}, "");
  for (const LossOptions& options : all_divergences()) {
    check(full_row(teacher_row()), options, "full row");
    check(likeliest(teacher_row(), 4), options, "top 4 and tail");
  }
  check(full_row(teacher_row()), {LossKind::forward_kl, 0.5, 0.1, 0.3}, "with hard labels");
  for (const std::int64_t vocabulary : {9, 12, 20}) {
    check(sorted_probabilities(vocabulary), {LossKind::uld}, "another vocabulary");
  }
}

TEST(Losses, AreZeroForTheTeachersOwnDistributionAndPositiveElsewhere) {
  const at::Tensor row = teacher_row();
  for (const LossOptions& options : all_divergences()) {
    for (const Targets& targets : {full_row(row), likeliest(row, 3)}) {
      const at::Tensor own = token_losses(row + 2.5, targets, options);
      EXPECT_LE(own.abs().max().item<double>(), 1e-12) << static_cast<int>(options.kind);
      const at::Tensor other = token_losses(student_logits(), targets, options);
      EXPECT_GT(other.min().item<double>(), 1e-4) << static_cast<int>(options.kind);
    }
  }
  Targets sorted = full_row(std::get<0>(row.sort(-1, true)));
  EXPECT_LE(mean(row, sorted, {LossKind::uld}), 1e-12);
  EXPECT_GT(mean(student_logits(), sorted, {LossKind::uld}), 1e-2);
}

TEST(Losses, TheLikeliestTokensAndATailAreTheWholeRowWhereTheyAreAllTokens) {
  const at::Tensor row = teacher_row();
  for (const LossOptions& options : all_divergences()) {
    const double whole = mean(student_logits(), full_row(row), options);
    EXPECT_NEAR(mean(student_logits(), likeliest(row, kVocabulary), options), whole, 1e-12);
    // By the data processing inequality what merges outcomes cannot tell more.
    EXPECT_LT(mean(student_logits(), likeliest(row, 4), options), whole);
    EXPECT_LE(gradient_error(likeliest(row, kVocabulary), options), 1e-8);
  }
}

TEST(Losses, RowsMayHaveFewerOutcomesThanOthers) {
  const at::Tensor row = teacher_row();
  const Targets three = likeliest(row, 3);
  Targets padded = three;
  padded.ids = at::cat({three.ids, at::full({kTokens, 2}, -1, at::kLong)}, -1);
  padded.logprobs = at::cat({three.logprobs, at::full({kTokens, 2}, -5.0, at::kDouble)}, -1);
  for (const LossOptions& options : all_divergences()) {
    EXPECT_NEAR(mean(student_logits(), padded, options), mean(student_logits(), three, options),
                1e-12);
    EXPECT_LE(gradient_error(padded, options), 1e-8) << static_cast<int>(options.kind);
  }
}

TEST(Losses, EndsOfJsdAndSkewAreTheTwoDivergences) {
  const at::Tensor logits = student_logits();
  const Targets targets = full_row(teacher_row());
  const double forward = mean(logits, targets, {LossKind::forward_kl});
  const double reverse = mean(logits, targets, {LossKind::reverse_kl});
  const double small = 1e-6;
  EXPECT_NEAR(mean(logits, targets, {LossKind::jsd, small}) / small, forward, 1e-4);
  EXPECT_NEAR(mean(logits, targets, {LossKind::jsd, 1 - small}) / small, reverse, 1e-4);
  EXPECT_NEAR(mean(logits, targets, {LossKind::skew_kl, 0.5, 0}), forward, 1e-12);
  EXPECT_NEAR(mean(logits, targets, {LossKind::skew_reverse_kl, 0.5, 0}), reverse, 1e-12);
}

TEST(Losses, WeightedTeachersAreTheirMixture) {
  // The sum of w KL(P || Q) over teachers is KL(mixture || Q) and what does not depend on Q.
  const at::Tensor one = teacher_row();
  const at::Tensor other = at::log_softmax(random({kTokens, kVocabulary}, 4), -1);
  const auto gradient = [](const std::vector<std::pair<double, at::Tensor>>& teachers) {
    at::Tensor logits = student_logits().requires_grad_(true);
    at::Tensor sum = at::zeros({}, at::kDouble);
    for (const auto& [weight, row] : teachers) {
      sum = sum + weight * token_losses(logits, full_row(row), {LossKind::forward_kl}).sum();
    }
    sum.backward();
    return logits.grad();
  };
  const at::Tensor mixture = (0.7 * one.exp() + 0.3 * other.exp()).log();
  const at::Tensor difference = gradient({{0.7, one}, {0.3, other}}) - gradient({{1, mixture}});
  EXPECT_LE(difference.abs().max().item<double>(), 1e-14);
}

TEST(Losses, WhatIsNotRejectedIsAccepted) {
  const at::Tensor logits = student_logits(), row = teacher_row();
  for (const Targets& targets : {full_row(row), likeliest(row, 4)}) {
    const at::Tensor rejected = token_losses(logits, targets, {LossKind::tvd});
    const at::Tensor accepted = acceptances(logits, targets);
    EXPECT_LE((accepted + rejected - 1).abs().max().item<double>(), 1e-12);
    EXPECT_LT(accepted.max().item<double>(), 1);
    EXPECT_GT(accepted.min().item<double>(), 0);
  }
  // What merges outcomes accepts more, by the smaller tail at most.
  const at::Tensor too_much =
      acceptances(logits, likeliest(row, 4)) - acceptances(logits, full_row(row));
  const at::Tensor tail = likeliest(row, 4).tail.exp();
  EXPECT_GE(too_much.min().item<double>(), 0);
  EXPECT_LE((too_much - tail).max().item<double>(), 1e-12);
}

TEST(Losses, KnownValues) {
  const at::Tensor logits = at::log(at::tensor({0.5, 0.25, 0.25}, at::kDouble)).unsqueeze(0);
  Targets targets = full_row(at::log(at::tensor({0.25, 0.5, 0.25}, at::kDouble)).unsqueeze(0));
  EXPECT_NEAR(mean(logits, targets, {LossKind::sft}), std::log(4), 1e-12);
  EXPECT_NEAR(mean(logits, targets, {LossKind::forward_kl}), 0.25 * std::log(2), 1e-12);
  EXPECT_NEAR(mean(logits, targets, {LossKind::tvd}), 0.25, 1e-12);
  // M = (3/8, 3/8, 1/4)
  EXPECT_NEAR(mean(logits, targets, {LossKind::jsd}),
              0.5 * std::log(4.0 / 3) + 0.25 * std::log(2.0 / 3), 1e-12);
  targets.logprobs = at::log(at::tensor({0.5, 0.5}, at::kDouble)).unsqueeze(0);
  EXPECT_NEAR(mean(logits, targets, {LossKind::uld}), 0.5, 1e-12);
}

TEST(Losses, AreFiniteWhereTheTeacherHasNoDoubt) {
  Targets sure = likeliest(at::log_softmax(random({kTokens, kVocabulary}, 2) * 400, -1), 3);
  for (const LossOptions& options : all_divergences()) {
    at::Tensor logits = (student_logits() * 200).requires_grad_(true);
    const at::Tensor loss = token_losses(logits, sure, options).mean();
    loss.backward();
    EXPECT_TRUE(std::isfinite(loss.item<double>())) << static_cast<int>(options.kind);
    EXPECT_TRUE(logits.grad().isfinite().all().item<bool>()) << static_cast<int>(options.kind);
  }
}

}  // namespace
}  // namespace lichen::training
