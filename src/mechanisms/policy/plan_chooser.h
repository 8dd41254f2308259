// Which of several plans answers: a contextual bandit that learns from scores that come late and
// for few requests, within a budget, a limit of latency, a share of exploration and a rule on risk.
//
// Each plan, or arm, has a ridge regression of its score on the prompt's sketch, as in LinUCB
// (ridge.h). The arm with the best expected score less its prices answers; where another could be
// better, as far as is known, that one is tried, but in no more than the share `explore` of all
// requests (and once each when the budget is about to be spent, to learn which cost nothing). An
// arm is taken to be wrong until scores say otherwise, and the safe arm to be right: so without any
// feedback the safe one answers, but for the explored share.
//
// The rule on risk: of the requests for which an arm was the best choice, count those with feedback
// and, of these, those that it got wrong (a score under one half); while the Clopper-Pearson bound
// of its share of wrong answers is not under alpha, the arm answers explored requests only, and the
// safe one takes its place. It looks at each outcome of the last 500, again and again, while what
// the arm is chosen for changes by learning: so it is a rule, and no guarantee as a calibrated
// router's (risk.h) is.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mechanisms/mechanism.h"
#include "mechanisms/policy/pacing.h"
#include "mechanisms/policy/ridge.h"
#include "mechanisms/routing/risk.h"

namespace lichen::mechanisms {

struct ChooserOptions {
  std::vector<std::string> arms = {};  // names, each once
  std::size_t safe = 0;                // index of the safe one
  double explore = 0.05;               // most of the requests that may be explored, 0 to 1
  std::optional<RiskTarget> risk = {};
  double usd_price = 0;     // points of the score that a US dollar takes
  double second_price = 0;  // and a second
  std::optional<double> budget_per_hour = {};
  std::string budget_unit = "USD";  // in the words of messages
  std::optional<double> p95_ms = {};
};

/// What an arm's use cost.
struct Cost {
  double usd = 0;
  double budget = 0;              // in the budget's unit
  std::optional<double> ms = {};  // none: it gave no answer
};

struct Choice {
  std::size_t arm = 0;
  bool explored = false;
  std::string reason;
  /// Of the budget: what is held for it until `settle`.
  double reserved = 0;
};

/// What is shown of a chooser.
struct ChooserFigures {
  struct Arm {
    std::int64_t chosen = 0;           // since the program's start
    std::int64_t explored = 0;         // of these
    std::optional<double> score = {};  // mean of those that can still be revised; none: no score
    double price = 0;                  // in points of the score
  };
  std::vector<Arm> arms = {};
  double spent = 0;         // of the budget, in the last hour
  double budget_price = 0;  // points of the score for what the dearest arm spends
  double tail_price = 0;    // and for an answer over the limit of latency
};

/// Safe to use from any thread: no call holds the others up for more than some ten microseconds,
/// though `state` and `restore` take some milliseconds themselves. Times are seconds since 1970.
class PlanChooser final : public Learner {
 public:
  explicit PlanChooser(ChooserOptions options);

  /// `request` is the id by which feedback will speak of it. `budget_exceeded` where the hour's
  /// budget is spent and no arm that costs nothing is allowed.
  Result<Choice> choose(const std::string& request, const Sketch& sketch, double now);
  /// Must follow every choice once, however the arm's work ended.
  void settle(const Choice& choice, const Cost& cost, double now);
  /// Something else than an arm has spent of the budget.
  void spend(double amount, double now);
  /// A verdict that gives way to any feedback, before or after it.
  void judge(const std::string& request, double score);

  ChooserFigures figures(double now) const;
  const ChooserOptions& options() const { return options_; }

  void feedback(const std::string& request, double score) override;
  std::string state() const override;
  Result<void> restore(std::string_view state) override;

  /// Of the requests that were chosen for last, so many can still be scored.
  static constexpr std::size_t kMostPending = 512;

 private:
  /// An outcome that counts for the rule on risk.
  struct Outcome {
    std::uint64_t request = 0;  // hash of its id
    bool lost = false;
  };
  struct Arm {
    Ridge scores;
    std::int64_t settled = 0;
    double usd = 0;  // these three: means that forget slowly
    double budget = 0;
    double slow = 0;  // share of answers over the limit of latency
    double seconds = 0;
    std::int64_t timed = 0;
    double dearest = 0;  // of the budget, of one request
    std::deque<Outcome> outcomes = {};
    bool allowed = true;  // by the rule on risk; follows from the outcomes
  };
  struct Pending {
    std::string request;
    std::size_t arm = 0;
    bool best = false;  // the arm was the best choice, as far as was known
    Sketch sketch{};
    std::optional<double> score = {};
    bool by_user = false;  // the score
  };
  struct Known {  // all that is kept over restarts; guarded by mutex_
    std::vector<Arm> arms;
    std::deque<Pending> pending;  // oldest first
    std::int64_t choices = 0;
    std::int64_t explored = 0;
    HourlyBudget budget;
    TailPrice tail = {};
  };
  struct View;  // of an arm, for one request

  Known nothing_known() const;
  std::vector<View> views(const Sketch& sketch, double now) const;
  double price(const Arm& arm) const;
  bool affordable(std::size_t arm, double now) const;
  bool keeps_risk(const Arm& arm) const;
  std::size_t last_chance(const std::vector<View>& views, std::size_t best, double now) const;
  double budget_unit() const;
  std::string reason(const std::vector<View>& views, std::size_t arm, std::size_t best,
                     std::size_t wished) const;
  void score(const std::string& request, double score, bool by_user);
  std::string setting() const;

  const ChooserOptions options_;
  mutable std::mutex mutex_;
  Known known_;
  double reserved_ = 0;           // guarded by mutex_, of the budget by requests in progress
  std::vector<int> in_progress_;  // guarded by mutex_, requests of each arm
  struct Counts {
    std::int64_t chosen = 0;
    std::int64_t explored = 0;
  };
  std::vector<Counts> counts_;  // guarded by mutex_, of each arm
};

}  // namespace lichen::mechanisms
