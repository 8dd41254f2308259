#include "mechanisms/policy/plan_chooser.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "mechanisms/routing/hashing.h"

namespace lichen::mechanisms {
namespace {

constexpr std::size_t kMostOutcomes = 500;
constexpr double kForget = 0.02;  // weight of a new cost among those before
constexpr double kRight = 0.5;    // a score from here on is a right answer

/// The mean of the first observations, then one that forgets.
void average(double& mean, std::int64_t count, double value) {
  mean += std::max(1 / static_cast<double>(count), kForget) * (value - mean);
}

}  // namespace

struct PlanChooser::View {
  Estimate score;
  double price = 0;
  bool affordable = true;
  bool allowed = true;  // by the rule on risk

  double expected() const { return score.mean - price; }
  double hoped() const { return expected() + score.width; }
};

PlanChooser::PlanChooser(ChooserOptions options)
    : options_(std::move(options)),
      known_(nothing_known()),
      in_progress_(options_.arms.size()),
      counts_(options_.arms.size()) {}

PlanChooser::Known PlanChooser::nothing_known() const {
  Known known{
      .arms = {}, .pending = {}, .budget = HourlyBudget(options_.budget_per_hour.value_or(0))};
  for (std::size_t arm = 0; arm < options_.arms.size(); ++arm) {
    known.arms.push_back({.scores = Ridge(arm == options_.safe ? 1 : 0)});
    known.arms.back().allowed = keeps_risk(known.arms.back());
  }
  return known;
}

/// What the dearest arm spends of the budget, on average.
double PlanChooser::budget_unit() const {
  double unit = 0;
  for (const Arm& arm : known_.arms) unit = std::max(unit, arm.budget);
  return unit;
}

double PlanChooser::price(const Arm& arm) const {
  double price = options_.usd_price * arm.usd + options_.second_price * arm.seconds;
  if (const double unit = budget_unit(); options_.budget_per_hour && unit > 0) {
    price += known_.budget.price() * arm.budget / unit;
  }
  if (options_.p95_ms) price += known_.tail.price() * arm.slow;
  return price;
}

bool PlanChooser::affordable(std::size_t index, double now) const {
  if (!options_.budget_per_hour) return true;
  const Arm& arm = known_.arms[index];
  const bool unknown = arm.settled == 0;
  if (!unknown && arm.dearest <= 0) return true;
  // Nobody knows what to hold for an arm that has never been used: one request tells.
  if (unknown && in_progress_[index] > 0) return false;
  return known_.budget.open(now, reserved_);
}

/// Whether the bound of Clopper and Pearson is under alpha: at alpha, so few losses would be rarer
/// than delta.
bool PlanChooser::keeps_risk(const Arm& arm) const {
  if (!options_.risk) return true;
  const auto lost = std::ranges::count_if(arm.outcomes, &Outcome::lost);
  return binomial_tail(lost, static_cast<std::int64_t>(arm.outcomes.size()), options_.risk->alpha) <
         options_.risk->delta;
}

std::vector<PlanChooser::View> PlanChooser::views(const Sketch& sketch, double now) const {
  std::vector<View> views;
  for (std::size_t i = 0; i < known_.arms.size(); ++i) {
    const Arm& arm = known_.arms[i];
    views.push_back({.score = arm.scores.estimate(sketch),
                     .price = price(arm),
                     .affordable = affordable(i, now),
                     .allowed = i == options_.safe || arm.allowed});
  }
  return views;
}

/// An arm that nobody has used yet, if `best` is likely to spend the last of the budget: afterwards
/// only arms that are known to cost nothing may answer.
std::size_t PlanChooser::last_chance(const std::vector<View>& views, std::size_t best,
                                     double now) const {
  const Arm& dear = known_.arms[best];
  const bool spends = options_.budget_per_hour && dear.dearest > 0 &&
                      !known_.budget.open(now, reserved_ + dear.dearest);
  for (std::size_t arm = 0; spends && arm < views.size(); ++arm) {
    if (known_.arms[arm].settled == 0 && views[arm].affordable && views[arm].allowed) return arm;
  }
  return views.size();
}

Result<Choice> PlanChooser::choose(const std::string& request, const Sketch& sketch, double now) {
  std::lock_guard lock(mutex_);
  const std::vector<View> seen = views(sketch, now);
  const std::size_t none = seen.size();
  // The best of those that `may`; equals go to the safe arm, then to the first.
  const auto best_of = [&](auto value, auto may) {
    std::size_t best = none;
    const auto offer = [&](std::size_t arm) {
      if (may(seen[arm]) && (best == none || value(seen[arm]) > value(seen[best]))) best = arm;
    };
    offer(options_.safe);
    for (std::size_t arm = 0; arm < none; ++arm) offer(arm);
    return best;
  };
  const auto expected = [](const View& view) { return view.expected(); };
  const auto hoped = [](const View& view) { return view.hoped(); };
  const auto affordable = [](const View& view) { return view.affordable; };
  const auto both = [](const View& view) { return view.affordable && view.allowed; };

  const std::size_t best = best_of(expected, both);
  if (best == none) {
    Error error{
        Errc::budget_exceeded,
        fmt::format("`auto` has spent its budget of {:g} {} per hour, and no other plan may "
                    "answer",
                    *options_.budget_per_hour, options_.budget_unit)};
    error.retry_after_s = std::max(1.0, std::ceil(known_.budget.wait(now)));
    return std::unexpected(std::move(error));
  }
  const std::size_t wished = best_of(expected, affordable);
  const std::size_t unused = last_chance(seen, best, now);
  // What to try is what the rule on risk holds back, so that it gets a record; else what could be
  // better.
  const auto promising = [&](const View& view) {
    return view.affordable && view.hoped() > seen[best].expected() && &view != &seen[best];
  };
  const std::size_t tried = wished != best ? wished : best_of(hoped, promising);
  const bool may_explore = static_cast<double>(known_.explored + 1) <=
                           options_.explore * static_cast<double>(known_.choices + 1);
  std::size_t arm = best;
  if (tried != none && may_explore) arm = tried;
  if (unused != none) arm = unused;

  Choice choice{.arm = arm,
                .explored = arm != best,
                .reason = reason(seen, arm, best, wished),
                .reserved = known_.arms[arm].dearest};
  ++known_.choices;
  known_.explored += choice.explored ? 1 : 0;
  reserved_ += choice.reserved;
  ++counts_[arm].chosen;
  counts_[arm].explored += choice.explored ? 1 : 0;
  ++in_progress_[arm];
  known_.pending.push_back(
      {.request = request, .arm = arm, .best = arm == wished, .sketch = sketch});
  if (known_.pending.size() > kMostPending) known_.pending.pop_front();
  return choice;
}

std::string PlanChooser::reason(const std::vector<View>& views, std::size_t arm, std::size_t best,
                                std::size_t wished) const {
  const View& view = views[arm];
  std::string words = fmt::format("expected {:.2f}", view.score.mean);
  if (view.price > 0) words += fmt::format(" less a price of {:.2f}", view.price);
  if (arm != best && known_.arms[arm].settled == 0) {
    words += ", explored: it was never used before";
  } else if (arm != best && arm == wished) {
    words += fmt::format(", explored: it has yet to show that it is wrong at most {:g} of the time",
                         options_.risk->alpha);
  } else if (arm != best) {
    words +=
        fmt::format(", explored: up to {:.2f} is possible", view.score.mean + view.score.width);
  } else if (wished != best) {
    const auto& outcomes = known_.arms[wished].outcomes;
    words += fmt::format("; expected better of {}, which was wrong in {} of {} such answers",
                         options_.arms[wished], std::ranges::count_if(outcomes, &Outcome::lost),
                         outcomes.size());
  }
  if (!std::ranges::all_of(views, &View::affordable)) words += "; the hour's budget is spent";
  return words;
}

void PlanChooser::settle(const Choice& choice, const Cost& cost, double now) {
  std::lock_guard lock(mutex_);
  Arm& arm = known_.arms[choice.arm];
  reserved_ = std::max(0.0, reserved_ - choice.reserved);
  --in_progress_[choice.arm];
  ++arm.settled;
  average(arm.usd, arm.settled, cost.usd);
  average(arm.budget, arm.settled, cost.budget);
  arm.dearest = std::max(arm.dearest, cost.budget);
  if (options_.budget_per_hour) {
    const double unit = budget_unit();
    known_.budget.spend(now, cost.budget);
    known_.budget.pace(now, unit > 0 ? cost.budget / unit : 0, unit);
  }
  if (!cost.ms) return;
  ++arm.timed;
  average(arm.seconds, arm.timed, *cost.ms / 1'000);
  if (!options_.p95_ms) return;
  const bool slow = *cost.ms > *options_.p95_ms;
  average(arm.slow, arm.timed, slow ? 1 : 0);
  known_.tail.pace(slow);
}

void PlanChooser::spend(double amount, double now) {
  std::lock_guard lock(mutex_);
  if (options_.budget_per_hour) known_.budget.spend(now, amount);
}

ChooserFigures PlanChooser::figures(double now) const {
  std::lock_guard lock(mutex_);
  ChooserFigures figures{.spent = known_.budget.spent(now),
                         .budget_price = known_.budget.price(),
                         .tail_price = known_.tail.price()};
  for (std::size_t i = 0; i < known_.arms.size(); ++i) {
    double sum = 0;
    int scored = 0;
    for (const Pending& pending : known_.pending) {
      if (pending.arm != i || !pending.score) continue;
      sum += *pending.score;
      ++scored;
    }
    figures.arms.push_back({.chosen = counts_[i].chosen,
                            .explored = counts_[i].explored,
                            .score = scored > 0 ? std::optional(sum / scored) : std::nullopt,
                            .price = price(known_.arms[i])});
  }
  return figures;
}

void PlanChooser::judge(const std::string& request, double value) { score(request, value, false); }

void PlanChooser::feedback(const std::string& request, double value) {
  score(request, value, true);
}

void PlanChooser::score(const std::string& request, double value, bool by_user) {
  std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(known_.pending, request, &Pending::request);
  if (found == known_.pending.end() || (found->by_user && !by_user)) return;
  if (found->score == value && found->by_user == by_user) return;  // heard again
  Arm& arm = known_.arms[found->arm];
  const std::uint64_t hash = hash_of(request);
  if (!found->score) {
    arm.scores.learn(found->sketch, value);
    if (found->best) arm.outcomes.push_back({.request = hash, .lost = value < kRight});
    if (arm.outcomes.size() > kMostOutcomes) arm.outcomes.pop_front();
  } else {
    arm.scores.revise(found->sketch, *found->score, value);
    for (Outcome& outcome : arm.outcomes) {
      if (outcome.request == hash) outcome.lost = value < kRight;
    }
  }
  arm.allowed = keeps_risk(arm);
  found->score = value;
  found->by_user = by_user;
}

}  // namespace lichen::mechanisms
