#include "mechanisms/policy/auto.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/policy/chooser_metrics.h"
#include "mechanisms/policy/plan_chooser.h"
#include "mechanisms/policy/prompt_sketch.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/hashing.h"
#include "mechanisms/routing/question.h"

namespace lichen::mechanisms {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Whether it was the plan that failed, and not the request or its sender.
bool own_fault(const Error& error, const Turn& turn) {
  return !is_final(error, turn) && error.code != Errc::bad_request &&
         error.code != Errc::unsupported && error.code != Errc::budget_exceeded;
}

/// None: the reply begins with neither.
std::optional<bool> yes_or_no(std::string_view reply) {
  const auto begin = std::ranges::find_if(reply, base::is_letter);
  std::string word(begin, std::find_if_not(begin, reply.end(), base::is_letter));
  for (char& c : word) c = base::to_lower(c);
  if (word == "yes") return true;
  if (word == "no") return false;
  return std::nullopt;
}

/// What the steps that a turn gains while this lives cost.
class Account {
 public:
  /// `large`: the model whose tokens the budget is in; empty: it is in US dollars.
  Account(const Turn& turn, const std::string& large)
      : turn_(turn), large_(large), first_(turn.receipt.steps.size()) {}

  Cost cost() const {
    Cost cost;
    for (std::size_t i = first_; i < turn_.receipt.steps.size(); ++i) {
      const Step& step = turn_.receipt.steps[i];
      cost.usd += step.usd.value_or(0);
      if (step.model == large_) cost.budget += static_cast<double>(step.tokens_out);
    }
    if (large_.empty()) cost.budget = cost.usd;
    return cost;
  }

 private:
  const Turn& turn_;
  const std::string& large_;
  const std::size_t first_;
};

/// Settles a choice at the end of its life, so that no way out leaves some of the budget held.
class Settlement {
 public:
  Settlement(PlanChooser& chooser, const Choice& choice, const Turn& turn, const std::string& large)
      : chooser_(chooser), choice_(choice), account_(turn, large) {}
  ~Settlement() {
    Cost cost = account_.cost();
    if (answered_) cost.ms = *answered_;
    chooser_.settle(choice_, cost, now());
  }
  Settlement(const Settlement&) = delete;
  Settlement& operator=(const Settlement&) = delete;

  void answered() {
    answered_ = std::chrono::duration<double, std::milli>(Clock::now() - begun_).count();
  }

 private:
  PlanChooser& chooser_;
  const Choice& choice_;
  const Account account_;
  const Clock::time_point begun_ = Clock::now();
  std::optional<double> answered_;  // after so many ms
};

struct Verification {
  AnswererPtr verifier = {};  // null: none
  double share = 0;
};

class Auto : public Answerer {
 public:
  Auto(std::vector<Operand> arms, std::shared_ptr<PlanChooser> chooser, std::string large,
       Verification verification)
      : arms_(std::move(arms)),
        chooser_(std::move(chooser)),
        large_(std::move(large)),
        verification_(std::move(verification)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    std::string asked(question(request));
    const Result<Choice> choice = chooser_->choose(turn.request_id(), sketch_of(asked), now());
    if (!choice) co_return std::unexpected(choice.error());
    turn.receipt.decisions.push_back(
        {.mechanism = "auto", .choice = arms_[choice->arm].name, .reason = choice->reason});
    Result<Answer> answer = co_await answer_by(*choice, std::move(request), turn);
    if (!answer && own_fault(answer.error(), turn)) chooser_->judge(turn.request_id(), 0);
    if (answer && to_verify(*choice, *answer, turn)) {
      co_await verify(std::move(asked), answer->text, turn);
    }
    co_return answer;
  }

 private:
  awaitable<Result<Answer>> answer_by(Choice choice, Request request, Turn& turn) {
    Settlement settlement(*chooser_, choice, turn, large_);
    Result<Answer> answer = co_await arms_[choice.arm].answerer->answer(std::move(request), turn);
    if (answer) settlement.answered();
    co_return answer;
  }

  bool to_verify(const Choice& choice, const Answer& answer, const Turn& turn) const {
    if (verification_.verifier == nullptr || answer.text.empty()) return false;
    return choice.explored || unit_interval(hash_of(turn.request_id())) < verification_.share;
  }

  awaitable<void> verify(std::string asked, std::string answer, Turn& turn) {
    Result<std::string> prompt = render("judge", {{"question", asked}, {"answer", answer}});
    if (!prompt) co_return;
    const Account account(turn, large_);
    const std::unique_ptr<Turn> child = turn.child();
    Request request;
    request.messages.push_back({.role = "user", .content = *std::move(prompt)});
    request.sampling.temperature = 0;
    const Result<Answer> reply =
        co_await verification_.verifier->answer(std::move(request), *child);
    absorb_as(turn, *child, "verify");
    chooser_->spend(account.cost().budget, now());
    const std::optional<bool> right = reply ? yes_or_no(reply->text) : std::nullopt;
    if (!right) co_return;
    turn.receipt.decisions.push_back({.mechanism = "auto",
                                      .choice = *right ? "right" : "wrong",
                                      .reason = "so says the verifier"});
    chooser_->judge(turn.request_id(), *right ? 1 : 0);
  }

  const std::vector<Operand> arms_;
  const std::shared_ptr<PlanChooser> chooser_;
  const std::string large_;  // see Account
  const Verification verification_;
};

std::vector<std::string> names_of(const std::vector<Operand>& arms) {
  std::vector<std::string> names;
  for (const Operand& arm : arms) names.push_back(arm.name);
  return names;
}

Result<std::vector<Operand>> read_arms(Options& options) {
  Result<std::vector<Operand>> arms = options.operands("of");
  if (!arms) return arms;
  if (arms->size() < 2) {
    return std::unexpected(options.error("of", "`auto` needs two plans at least to choose from"));
  }
  std::set<std::string> seen;
  for (const Operand& arm : *arms) {
    if (seen.insert(arm.name).second) continue;
    return std::unexpected(options.error(
        "of", fmt::format("there are two `{0}` in `of`; give each a name of its own, under `plans`",
                          arm.name)));
  }
  return arms;
}

Result<std::size_t> read_safe(Options& options, const std::vector<std::string>& arms) {
  const std::vector<std::string_view> allowed(arms.begin(), arms.end());
  const Result<std::string> safe = options.choice("safe", allowed, allowed.back());
  if (!safe) return std::unexpected(safe.error());
  return static_cast<std::size_t>(std::ranges::find(arms, *safe) - arms.begin());
}

/// The name of the model whose tokens a budget counts.
Result<std::string> read_large(Options& options, const Operand& safe) {
  AnswererPtr answerer = safe.answerer;
  if (options.has("large")) {
    Result<AnswererPtr> large = options.operand("large");
    if (!large) return std::unexpected(large.error());
    answerer = *std::move(large);
  }
  const auto* model = dynamic_cast<const Model*>(answerer.get());
  if (model != nullptr) return model->name();
  return std::unexpected(
      options.error(options.has("large") ? "large" : "budget",
                    "`large_tokens_per_hour` counts the tokens of one model: name it by `large`"));
}

/// Fills in the budget; brings back the model whose tokens it counts, or an empty name for US
/// dollars.
Result<std::string> read_budget(Options& options, const Operand& safe, ChooserOptions& chooser) {
  constexpr std::string_view kNames[] = {"usd_per_hour", "large_tokens_per_hour"};
  constexpr double kLeast = 1e-9, kMost = 1e12;
  const auto budget = options.some_numbers("budget", kNames, kLeast, kMost);
  if (!budget) return std::unexpected(budget.error());
  const std::optional<double> usd = (*budget)[0], tokens = (*budget)[1];
  if (usd && tokens) {
    return std::unexpected(
        options.error("budget", "`budget` is either `usd_per_hour` or `large_tokens_per_hour`"));
  }
  chooser.budget_per_hour = usd ? usd : tokens;
  if (!tokens) return "";
  Result<std::string> large = read_large(options, safe);
  if (large) chooser.budget_unit = "tokens of " + *large;
  return large;
}

Result<void> read_prices(Options& options, ChooserOptions& chooser) {
  constexpr std::string_view kPrices[] = {"usd", "second"};
  const auto prices = options.some_numbers("price", kPrices, 0, 1e9);
  if (!prices) return std::unexpected(prices.error());
  chooser.usd_price = (*prices)[0].value_or(0);
  chooser.second_price = (*prices)[1].value_or(0);
  constexpr std::string_view kLatency[] = {"p95_ms"};
  const auto latency = options.number_map("latency", kLatency, 1, 86'400'000);
  if (!latency) return std::unexpected(latency.error());
  if (*latency) chooser.p95_ms = (**latency)[0];
  return {};
}

Result<Verification> read_verification(Options& options) {
  if (!options.has("verifier")) {
    if (!options.has("verify")) return Verification{};
    return std::unexpected(options.error("verify", "`verify` needs a `verifier`"));
  }
  Result<AnswererPtr> verifier = options.operand("verifier");
  if (!verifier) return std::unexpected(verifier.error());
  constexpr double kShare = 0.05;
  const Result<double> share = options.number("verify", kShare, 0, 1);
  if (!share) return std::unexpected(share.error());
  return Verification{.verifier = *std::move(verifier), .share = *share};
}

}  // namespace

Result<AnswererPtr> build_auto(Options& options) {
  Result<std::vector<Operand>> arms = read_arms(options);
  if (!arms) return std::unexpected(arms.error());
  ChooserOptions chooser{.arms = names_of(*arms)};
  const Result<std::size_t> safe = read_safe(options, chooser.arms);
  if (!safe) return std::unexpected(safe.error());
  chooser.safe = *safe;
  const Result<double> explore = options.number("explore", chooser.explore, 0, 1);
  if (!explore) return std::unexpected(explore.error());
  chooser.explore = *explore;
  const Result<std::optional<RiskTarget>> risk = read_risk(options);
  if (!risk) return std::unexpected(risk.error());
  chooser.risk = *risk;
  Result<std::string> large = read_budget(options, (*arms)[*safe], chooser);
  if (!large) return std::unexpected(large.error());
  if (Result<void> prices = read_prices(options, chooser); !prices) {
    return std::unexpected(prices.error());
  }
  Result<Verification> verification = read_verification(options);
  if (!verification) return std::unexpected(verification.error());
  auto learner = std::make_shared<PlanChooser>(std::move(chooser));
  options.learns(learner);
  show(options, learner);
  return std::make_shared<Auto>(*std::move(arms), std::move(learner), *std::move(large),
                                *std::move(verification));
}

}  // namespace lichen::mechanisms
