#include "mechanisms/routing/route.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "mechanisms/routing/length_router.h"
#include "mechanisms/routing/prefill_router.h"
#include "mechanisms/routing/risk_watch.h"
#include "mechanisms/routing/router.h"
#include "mechanisms/routing/trained_router.h"

namespace lichen::mechanisms {
namespace {

constexpr std::string_view kRouterNames[] = {"length", "linear",   "knn",
                                             "mf",     "ensemble", "prefill"};
constexpr Result<Routing> (*kRouterBuilders[])(Options&) = {build_length_router,
                                                            build_trained<RouterKind::linear>,
                                                            build_trained<RouterKind::knn>,
                                                            build_trained<RouterKind::mf>,
                                                            build_trained<RouterKind::ensemble>,
                                                            build_prefill};

Result<Routing> build_router(Options& options) {
  Result<std::string> by = options.choice("by", kRouterNames, kRouterNames[0]);
  if (!by) return std::unexpected(by.error());
  const auto index = std::ranges::find(kRouterNames, *by) - kRouterNames;
  return kRouterBuilders[index](options);
}

class Route : public Answerer {
 public:
  Route(Routing routing, AnswererPtr small, AnswererPtr large)
      : router_(std::move(routing.router)),
        threshold_(routing.threshold),
        watch_(std::move(routing.watch)),
        small_(std::move(small)),
        large_(std::move(large)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    Result<Need> need = co_await router_->need(request, turn);
    if (!need) co_return std::unexpected(std::move(need).error());
    const bool alarmed = watch_.alarmed();
    // A score that is no number goes to large.
    const bool to_small = need->score < threshold_ && !alarmed;
    Decision decision{.mechanism = "route",
                      .choice = to_small ? "small" : "large",
                      .reason = fmt::format("{}: need {:.2f} {} {:.2f}", need->reason, need->score,
                                            to_small ? "under" : "not under", threshold_)};
    if (alarmed) decision.reason = RiskWatch::kAlarm;
    if (std::isfinite(need->score) && !alarmed) {
      decision.score = 1 - need->score;
      decision.threshold = 1 - threshold_;
    }
    turn.receipt.decisions.push_back(std::move(decision));
    if (!to_small) {
      need->small.reset();
      watch_.answered_by_large(turn);
      Result<Answer> answer = co_await large_->answer(request, turn);
      const bool shown = !turn.receipt.authors.empty();  // of an answer that broke off
      if (answer || shown || answer.error().code != Errc::offline) co_return answer;
      turn.receipt.decisions.push_back(
          {.mechanism = "route", .choice = "small", .reason = "large is offline"});
      co_return co_await small_->answer(std::move(request), turn);
    }
    Answerer& small = need->small ? *need->small : *small_;
    if (!watch_.looks_at(turn)) co_return co_await small.answer(std::move(request), turn);
    Result<Answer> answer = co_await small.answer(request, turn);
    if (answer) watch_.answered_by_small(turn, request, *answer, large_);
    co_return answer;
  }

 private:
  const std::unique_ptr<Router> router_;
  const double threshold_;
  const RiskWatch watch_;
  const AnswererPtr small_;
  const AnswererPtr large_;
};

}  // namespace

Result<AnswererPtr> build_route(Options& options) {
  Result<Routing> routing = build_router(options);
  if (!routing) return std::unexpected(routing.error());
  Result<AnswererPtr> small = options.operand("small");
  if (!small) return std::unexpected(small.error());
  Result<AnswererPtr> large = options.operand("large");
  if (!large) return std::unexpected(large.error());
  return std::make_shared<Route>(*std::move(routing), *std::move(small), *std::move(large));
}

}  // namespace lichen::mechanisms
