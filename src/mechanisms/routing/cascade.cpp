#include "mechanisms/routing/cascade.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mechanisms/hand_over.h"
#include "mechanisms/held_back.h"
#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/confidence.h"
#include "mechanisms/routing/early_stop.h"
#include "mechanisms/routing/latency.h"
#include "mechanisms/routing/risk_watch.h"
#include "model/local_model.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

struct Verdict {
  bool accepted = false;
  std::string reason;
  std::optional<double> score = {};  // none: small's answer could not be scored
};

enum class Hedge : std::uint8_t { automatic, never, always };

/// When large begins.
struct Start {
  /// Beside small, so long after it; none: after small has been judged.
  std::optional<Latency::Duration> beside = {};
  /// Why small is not asked at all; empty: it is.
  std::string at_once = {};
};

struct CascadeParts {
  AnswererPtr small;
  AnswererPtr large;
  std::unique_ptr<Confidence> confidence;
  double threshold = 0;  // infinity: large has to answer everything
  RiskWatch watch;
  bool early_stop = false;  // of drafts; only where the confidence has a `least_of`
  Hedge hedge = Hedge::automatic;
  bool one_lane = false;  // both take turns on one device
};

/// Whether small's answer may be given for large's: not behind what large has shown.
bool may_stand_in(const Error& of_large, const Turn& turn) {
  return of_large.code == Errc::offline && turn.receipt.authors.empty();
}

class Cascade : public Answerer {
 public:
  explicit Cascade(CascadeParts parts) : parts_(std::move(parts)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    const Start start = start_of_large(turn);
    if (!start.at_once.empty()) {
      decide(turn, {.reason = start.at_once});
      co_return co_await large_or(fail(Errc::internal, "no draft"), std::move(request), turn);
    }
    if (start.beside) co_return co_await side_by_side(std::move(request), *start.beside, turn);
    DraftTurn draft_turn(parts_, turn);
    Draft draft = co_await drafted(request, draft_turn);
    if (draft.verdict.accepted) {
      turn.absorb(*draft_turn.turn);
      decide(turn, draft.verdict);
      co_return co_await sent(std::move(draft), std::move(request), turn);
    }
    absorb_as(turn, *draft_turn.turn, "draft");
    if (draft.final) co_return std::move(draft.answer);
    decide(turn, draft.verdict);
    co_return co_await large_or(std::move(draft.answer), std::move(request), turn);
  }

 private:
  struct Draft {
    Result<Answer> answer = fail(Errc::internal, "not asked");
    Verdict verdict = {};
    bool final = false;  // a failure after which nobody else is to be asked
  };
  struct DraftTurn {
    DraftTurn(const CascadeParts& parts, Turn& of)
        : early_stop(parts.confidence->least_of(), parts.threshold),
          turn(of.child(parts.early_stop ? &early_stop : nullptr)) {}
    EarlyStop early_stop;
    const std::unique_ptr<Turn> turn;
  };
  struct Race;

  Start start_of_large(const Turn& turn) const;
  awaitable<Result<Answer>> side_by_side(Request request, Latency::Duration delay, Turn& turn);
  awaitable<void> run_small(Race& race);
  awaitable<void> run_large(Race& race);
  awaitable<Draft> drafted(Request request, DraftTurn& in);
  awaitable<Result<Answer>> by_large(Request request, Turn& turn);
  awaitable<Result<Answer>> large_or(Result<Answer> draft, Request request, Turn& turn);
  awaitable<Result<Answer>> small_offline(Result<Answer> draft, Request request, Turn& turn) const;
  Verdict stopped_early(double value) const;
  awaitable<Verdict> judged(const Request& request, const Result<Answer>& draft, Turn& turn) const;
  awaitable<Result<Answer>> sent(Draft draft, Request request, Turn& turn) const;
  void decide(Turn& turn, const Verdict& verdict) const;

  static Verdict failed(std::string_view what, const Error& error) {
    return {.reason = fmt::format("{} failed: {}: {}", what, to_string(error.code), error.detail)};
  }

  const CascadeParts parts_;
  Latency small_takes_;  // until its answer is judged
  Latency large_takes_;
};

/// Drafting may take as long as large's usual time still fits in its 95th percentile after it, and
/// in the turn's deadline: then large begins beside it (Dean, Barroso 2013, "The tail at scale").
/// Where not even both together fit in the deadline, small is not asked. On one lane whatever large
/// began early would be taken from small.
Start Cascade::start_of_large(const Turn& turn) const {
  if (std::isinf(parts_.threshold)) return {.at_once = "no threshold keeps the risk"};
  if (parts_.watch.alarmed()) return {.at_once = std::string(RiskWatch::kAlarm)};
  if (parts_.hedge == Hedge::never) return {};
  if (parts_.hedge == Hedge::always) return {.beside = Latency::Duration(0)};
  constexpr double kUsual = 0.5, kLate = 0.95;
  const auto small = small_takes_.quantile(kUsual);
  const auto large = large_takes_.quantile(kUsual);
  const auto late = large_takes_.quantile(kLate);
  if (!small || !large || !late) return {};
  Latency::Duration most = *late;
  if (turn.deadline) {
    const Latency::Duration left = *turn.deadline - Clock::now();
    if (*small + *large > left) {
      return {.at_once = fmt::format(
                  "small takes {:.0f} ms and then large {:.0f} ms, and {:.0f} ms are left",
                  small->count(), large->count(), std::max(0.0, left.count()))};
    }
    most = std::min(most, left);
  }
  if (parts_.one_lane) return {};
  return {.beside = std::max(most - *large, Latency::Duration(0))};
}

void Cascade::decide(Turn& turn, const Verdict& verdict) const {
  turn.receipt.decisions.push_back(
      {.mechanism = "cascade",
       .choice = verdict.accepted ? "small" : "large",
       .reason = verdict.reason,
       .score = verdict.score,
       .threshold = verdict.score ? std::optional(parts_.threshold) : std::nullopt});
  if (!verdict.accepted) parts_.watch.answered_by_large(turn);
}

awaitable<Result<Answer>> Cascade::sent(Draft draft, Request request, Turn& turn) const {
  Result<void> emitted = co_await emit_whole(*draft.answer, request.logprobs, turn);
  if (!emitted) co_return std::unexpected(std::move(emitted).error());
  parts_.watch.answered_by_small(turn, request, *draft.answer, parts_.large);
  co_return std::move(draft.answer);
}

awaitable<Result<Answer>> Cascade::by_large(Request request, Turn& turn) {
  const auto begun = Clock::now();
  Result<Answer> answer = co_await parts_.large->answer(std::move(request), turn);
  if (answer) large_takes_.add(Clock::now() - begun);
  co_return answer;
}

awaitable<Result<Answer>> Cascade::large_or(Result<Answer> draft, Request request, Turn& turn) {
  Result<Answer> large = co_await by_large(request, turn);
  if (large || !may_stand_in(large.error(), turn)) co_return large;
  co_return co_await small_offline(std::move(draft), std::move(request), turn);
}

/// Where large stays offline, small's answer is the best there is.
awaitable<Result<Answer>> Cascade::small_offline(Result<Answer> draft, Request request,
                                                 Turn& turn) const {
  turn.receipt.decisions.push_back(
      {.mechanism = "cascade", .choice = "small", .reason = "large is offline"});
  if (!draft) co_return co_await parts_.small->answer(std::move(request), turn);
  Result<void> emitted = co_await emit_whole(*draft, request.logprobs, turn);
  if (!emitted) co_return std::unexpected(std::move(emitted).error());
  co_return draft;
}

awaitable<Cascade::Draft> Cascade::drafted(Request request, DraftTurn& in) {
  const auto begun = Clock::now();
  Turn& turn = *in.turn;
  Request asked = request;
  asked.logprobs = true;
  asked.top_logprobs = std::max(request.top_logprobs, parts_.confidence->alternatives());
  Draft draft{.answer = co_await parts_.small->answer(std::move(asked), turn)};
  const std::optional<double> under = in.early_stop.value();
  const bool unsure = under && !draft.answer;
  const std::optional<Error> ended = turn.stopped();
  if (unsure && ended) draft.answer = std::unexpected(*ended);  // not by us
  const bool stopped = unsure && !ended;
  if (stopped) {
    draft.verdict = stopped_early(under.value_or(0));
  } else {
    draft.verdict = co_await judged(request, draft.answer, turn);
  }
  draft.final = !draft.answer && !stopped && is_final(draft.answer.error(), turn);
  if (draft.answer || stopped) small_takes_.add(Clock::now() - begun);
  if (draft.answer) {
    drop_alternatives(*draft.answer, static_cast<std::size_t>(request.top_logprobs));
  }
  co_return draft;
}

/// It has no score: what is known is an upper bound of it, and a lower threshold might have let
/// the draft stand or not.
Verdict Cascade::stopped_early(double value) const {
  return {.reason = fmt::format("{} {:.3f} under threshold {:.4g}, so the draft was stopped",
                                parts_.confidence->words(), value, parts_.threshold)};
}

awaitable<Verdict> Cascade::judged(const Request& request, const Result<Answer>& draft,
                                   Turn& turn) const {
  if (!draft) co_return failed("small", draft.error());
  if (draft->text.empty() && draft->tool_calls.empty()) {
    co_return Verdict{.reason = "small said nothing"};
  }
  if (cut_short(*draft, request.max_tokens)) {
    co_return Verdict{.reason = fmt::format("small's answer was cut short after {} tokens",
                                            draft->completion_tokens)};
  }
  const Result<double> score = co_await parts_.confidence->of(request, *draft, turn);
  if (!score) co_return failed(parts_.confidence->words(), score.error());
  const bool accepted = *score >= parts_.threshold;  // not so for NaN
  co_return Verdict{
      .accepted = accepted,
      .reason = fmt::format("{} {:.3f} {} threshold {:.4g}", parts_.confidence->words(), *score,
                            accepted ? "reaches" : "under", parts_.threshold),
      .score = std::isfinite(*score) ? std::optional(*score) : std::nullopt};
}

/// Both on one request, on one strand. Whoever ends the race stops the other, which ends within a
/// step.
struct Cascade::Race {
  enum class Winner : std::uint8_t { none, small, large };

  Race(Request asked, const CascadeParts& parts, Turn& of, const asio::any_io_executor& strand)
      : request(std::move(asked)), turn(of), large_begins(strand), small(parts, of) {}

  void end(Winner who, Turn& loser, std::string why) {
    winner = who;
    loser.cancel(Errc::cancelled, std::move(why));
  }

  const Request request;
  Turn& turn;
  asio::steady_timer large_begins;
  DraftTurn small;
  HeldBack held{turn};
  const std::unique_ptr<Turn> large_turn = turn.child(&held);
  Winner winner = Winner::none;
  Draft draft;
  std::optional<Result<Answer>> large = {};  // none: it has not ended
  bool large_asked = false;
  Result<void> released;
};

awaitable<void> Cascade::run_small(Race& race) {
  race.draft = co_await drafted(race.request, race.small);
  if (race.winner != Race::Winner::none) co_return;
  const Draft& draft = race.draft;
  if (draft.verdict.accepted || draft.final) {
    race.end(Race::Winner::small, *race.large_turn, "small's answer stands");
  } else {
    race.winner = Race::Winner::large;
    if (race.large_asked) {
      decide(race.turn, draft.verdict);
      race.released = co_await race.held.release();
      if (!race.released) race.large_turn->cancel();
    }
  }
  race.large_begins.cancel();
}

awaitable<void> Cascade::run_large(Race& race) {
  if (race.winner != Race::Winner::none) co_return;
  co_await race.large_begins.async_wait(asio::as_tuple(asio::use_awaitable));
  if (race.winner != Race::Winner::none) co_return;
  race.large_asked = true;
  race.large = co_await by_large(race.request, *race.large_turn);
  if (race.winner != Race::Winner::none || !*race.large) co_return;
  race.end(Race::Winner::large, *race.small.turn, "large's answer came first");
  decide(race.turn, {.reason = "large had answered before small was judged"});
  race.released = co_await race.held.release();
}

awaitable<Result<Answer>> Cascade::side_by_side(Request request, Latency::Duration delay,
                                                Turn& turn) {
  const asio::any_io_executor strand = asio::make_strand(co_await asio::this_coro::executor);
  Race race(std::move(request), parts_, turn, strand);
  race.large_begins.expires_after(std::chrono::duration_cast<Clock::duration>(delay));
  const auto [order, small_thrown, large_thrown] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(strand, run_small(race), asio::deferred),
          asio::co_spawn(strand, run_large(race), asio::deferred))
          .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  for (const std::exception_ptr& thrown : {small_thrown, large_thrown}) {
    if (thrown) std::rethrow_exception(thrown);
  }
  const bool by_small = race.winner == Race::Winner::small;
  if (by_small && race.draft.answer) {
    turn.absorb(*race.small.turn);
  } else {
    absorb_as(turn, *race.small.turn, "draft");
  }
  if (by_small) {
    absorb_as(turn, *race.large_turn, race.large && *race.large ? "unused" : "cancelled");
    if (!race.draft.answer) co_return std::move(race.draft.answer);
    decide(turn, race.draft.verdict);
    co_return co_await sent(std::move(race.draft), race.request, turn);
  }
  if (!race.large_asked) {  // small was judged before large had begun
    decide(turn, race.draft.verdict);
    co_return co_await large_or(std::move(race.draft.answer), race.request, turn);
  }
  turn.absorb(*race.large_turn);
  if (!race.released) co_return std::unexpected(race.released.error());
  if (*race.large || !may_stand_in(race.large->error(), turn)) co_return *std::move(race.large);
  co_return co_await small_offline(std::move(race.draft.answer), race.request, turn);
}

bool on_one_lane(const AnswererPtr& a, const AnswererPtr& b) {
  auto* one = dynamic_cast<model::LocalModel*>(a.get());
  auto* other = dynamic_cast<model::LocalModel*>(b.get());
  return one != nullptr && other != nullptr && &one->lane() == &other->lane();
}

Result<Hedge> read_hedge(Options& options) {
  constexpr std::string_view kNames[] = {"auto", "never", "always"};
  const Result<std::string> chosen = options.choice("hedge", kNames, kNames[0]);
  if (!chosen) return std::unexpected(chosen.error());
  return static_cast<Hedge>(std::ranges::find(kNames, *chosen) - kNames);
}

/// By itself only where it cannot change what is decided: a remote model or a plan may refuse later
/// in its answer, and that is final.
Result<bool> read_early_stop(Options& options, const Confidence& confidence,
                             const AnswererPtr& small) {
  const bool falls = confidence.least_of() != nullptr;
  const auto* model = dynamic_cast<const Model*>(small.get());
  const Result<bool> wanted =
      options.flag("early_stop", falls && model != nullptr && model->local());
  if (wanted && *wanted && !falls) {
    return std::unexpected(options.error(
        "early_stop",
        fmt::format("`early_stop` needs a confidence that further tokens can only lower: `min`, or "
                    "`margin` or `entropy` at the quantile 0; {} may rise again",
                    confidence.words())));
  }
  return wanted;
}

}  // namespace

Result<AnswererPtr> build_cascade(Options& options) {
  Result<AnswererPtr> small = options.operand("small");
  if (!small) return std::unexpected(small.error());
  Result<AnswererPtr> large = options.operand("large");
  if (!large) return std::unexpected(large.error());
  auto confidence = build_confidence(options, *small);
  if (!confidence) return std::unexpected(confidence.error());
  const auto read = read_plan_bound(options);
  if (!read) return std::unexpected(read.error());
  const std::optional<Bound>& bound = *read;
  const Confidence::Scale scale = (*confidence)->scale();
  Result<double> threshold = options.number("threshold", scale.usual, scale.least, scale.most);
  if (bound) threshold = least_score(*bound);
  if (!threshold) return std::unexpected(threshold.error());
  auto watch = RiskWatch::read(options, bound);
  if (!watch) return std::unexpected(watch.error());
  const auto hedge = read_hedge(options);
  if (!hedge) return std::unexpected(hedge.error());
  const auto early_stop = read_early_stop(options, **confidence, *small);
  if (!early_stop) return std::unexpected(early_stop.error());
  const bool one_lane = on_one_lane(*small, *large);
  return std::make_shared<Cascade>(CascadeParts{.small = *std::move(small),
                                                .large = *std::move(large),
                                                .confidence = *std::move(confidence),
                                                .threshold = *threshold,
                                                .watch = *std::move(watch),
                                                .early_stop = *early_stop,
                                                .hedge = *hedge,
                                                .one_lane = one_lane});
}

}  // namespace lichen::mechanisms
