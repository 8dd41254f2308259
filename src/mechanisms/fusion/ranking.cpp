#include "mechanisms/fusion/ranking.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "mechanisms/fusion/bradley_terry.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/pipeline/step_sums.h"
#include "mechanisms/prompts.h"
#include "mechanisms/side_by_side.h"
#include "mechanisms/verdict.h"

namespace lichen::mechanisms {
namespace {

constexpr std::string_view kRole = "compare";
constexpr double kDraw = 0.5;

/// One comparison, in one order.
struct Comparison {
  std::size_t a;  // stands first
  std::size_t b;
  std::string prompt;
  std::unique_ptr<Turn> turn;
  Result<double> share = fail(Errc::internal, "not asked");  // of a
};

awaitable<void> compare(AnswererPtr judge, StepSums& sums, Comparison& comparison) {
  constexpr VerdictWords kWords{.first = "A", .second = "B"};
  sums.begin();
  comparison.share = co_await ask_verdict(std::move(judge), std::move(comparison.prompt), kWords,
                                          std::string(kRole), *comparison.turn);
  sums.end();
}

/// Both orders of a pair follow each other.
Result<std::vector<Comparison>> comparisons_of(const std::string& question,
                                               const std::vector<std::string>& answers,
                                               Turn& turn) {
  std::vector<Comparison> comparisons;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (std::size_t j = i + 1; j < answers.size(); ++j) {
      for (const auto& [a, b] : {std::pair(i, j), std::pair(j, i)}) {
        Result<std::string> prompt =
            render("compare", {{"question", question}, {"a", answers[a]}, {"b", answers[b]}});
        if (!prompt) return std::unexpected(std::move(prompt).error());
        comparisons.push_back({.a = a, .b = b, .prompt = *std::move(prompt), .turn = turn.child()});
      }
    }
  }
  return comparisons;
}

/// Adds up what the judge said.
Ranking ranking_of(const std::vector<Comparison>& comparisons, std::size_t answers) {
  constexpr double kPrior = 0.5;
  Ranking ranking{.order = std::vector<std::size_t>(answers),
                  .comparisons = static_cast<int>(comparisons.size()),
                  .pairs = static_cast<int>(comparisons.size() / 2)};
  std::iota(ranking.order.begin(), ranking.order.end(), std::size_t{0});
  Wins wins(answers);
  for (const Comparison& comparison : comparisons) {
    if (!comparison.share && ranking.without_verdict++ == 0) {
      ranking.why = comparison.share.error().detail;
    }
    const double share = comparison.share.value_or(kDraw);
    wins.of(comparison.a, comparison.b) += share;
    wins.of(comparison.b, comparison.a) += 1 - share;
  }
  for (std::size_t i = 0; i + 1 < comparisons.size(); i += 2) {
    const Result<double>&one = comparisons[i].share, &other = comparisons[i + 1].share;
    // The first of either order is the other's second.
    if (one && other && (*one > kDraw) == (*other > kDraw)) ++ranking.pairs_in_doubt;
  }
  if (ranking.without_verdict == ranking.comparisons) return ranking;
  ranking.strengths = bradley_terry(wins, kPrior);
  std::ranges::sort(ranking.order, {},
                    [&](std::size_t i) { return std::pair(-ranking.strengths[i], i); });
  const double sum = std::accumulate(ranking.strengths.begin(), ranking.strengths.end(), 0.0);
  for (double& strength : ranking.strengths) strength /= sum;
  return ranking;
}

}  // namespace

awaitable<Result<Ranking>> rank(AnswererPtr judge, std::string question,
                                std::vector<std::string> answers, Turn& turn) {
  Result<std::vector<Comparison>> comparisons = comparisons_of(question, answers, turn);
  if (!comparisons) co_return std::unexpected(std::move(comparisons).error());
  StepSums sums;
  std::vector<awaitable<void>> work;
  for (Comparison& comparison : *comparisons) work.push_back(compare(judge, sums, comparison));
  co_await side_by_side(std::move(work));
  std::optional<Error> final;
  for (const Comparison& comparison : *comparisons) {
    sums.add(*comparison.turn, kRole, turn);
    const Result<double>& share = comparison.share;
    if (!final && !share && is_final(share.error(), turn)) final = share.error();
  }
  sums.settle(turn);
  if (final) co_return std::unexpected(*std::move(final));
  co_return ranking_of(*comparisons, answers.size());
}

}  // namespace lichen::mechanisms
