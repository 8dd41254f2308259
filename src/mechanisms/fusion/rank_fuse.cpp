#include "mechanisms/fusion/rank_fuse.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mechanisms/answer_key.h"
#include "mechanisms/answer_text.h"
#include "mechanisms/auxiliary/reworded.h"
#include "mechanisms/fusion/panel.h"
#include "mechanisms/fusion/ranking.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/plain_answerers.h"
#include "mechanisms/policy/fallback.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/sampled_answers.h"
#include "mechanisms/whole_number.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

struct RankFuseParts {
  Panel panel;
  AnswererPtr judge = {};     // may be null: answers rank as they stand in the plan
  AnswererPtr fuse = {};      // may be null: the best answer is the answer; else with the fallback
  AnswererPtr fallback = {};  // may be null
  std::size_t keep = 2;
  int layers = 1;
};

/// Answers that say the same: the first of them, and who else said so.
struct Candidate {
  std::string key;
  std::string names;
  SampledAnswer* drawn;

  std::string text() const { return std::string(trimmed(said(*drawn->answer))); }
};

/// What the members of one layer said. Candidates point into `drawn`.
struct Layer {
  std::vector<SampledAnswer> drawn = {};
  std::vector<Candidate> candidates = {};  // the best first, once ranked
  std::string words = {};                  // for the receipt
  Error failure = {.code = Errc::upstream, .detail = {}};
};

class RankFuse : public Answerer {
 public:
  explicit RankFuse(RankFuseParts parts) : parts_(std::move(parts)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (Result<Request> fits = reworded(request, {}, "rank_fuse"); !fits) {
      co_return std::unexpected(std::move(fits).error());
    }
    // Comparisons keep their sums together.
    co_return co_await asio::co_spawn(asio::make_strand(co_await asio::this_coro::executor),
                                      in_layers(std::move(request), turn), asio::use_awaitable);
  }

 private:
  awaitable<Result<Answer>> in_layers(Request request, Turn& turn) const {
    Request asked = request;
    std::optional<Layer> before;
    for (int number = 1;; ++number) {
      Result<Layer> layer = co_await drawn(asked, turn);
      if (layer && layer->candidates.empty() && before) {
        absorb(*layer, nullptr, turn);
        decide(turn, "layer",
               fmt::format("layer {}: nobody answers, so the one before is the last: {}", number,
                           layer->words));
        co_return co_await finish(*std::move(before), std::move(request), turn);
      }
      if (before) absorb(*before, nullptr, turn);
      if (!layer) co_return std::unexpected(std::move(layer).error());
      if (layer->candidates.empty()) {
        absorb(*layer, nullptr, turn);
        co_return co_await without_answers(*std::move(layer), std::move(request), turn);
      }
      if (Result<void> ranked = co_await rank_in(*layer, request, turn); !ranked) {
        absorb(*layer, nullptr, turn);
        co_return std::unexpected(std::move(ranked).error());
      }
      if (parts_.layers > 1) layer->words = fmt::format("layer {}: {}", number, layer->words);
      const bool last = number == parts_.layers || layer->candidates.size() == 1;
      if (last) co_return co_await finish(*std::move(layer), std::move(request), turn);
      decide(turn, "layer", layer->words);
      Result<Request> next = fusing(*layer, request);
      before = *std::move(layer);
      if (!next) {
        absorb(*before, nullptr, turn);
        co_return std::unexpected(std::move(next).error());
      }
      asked = *std::move(next);
    }
  }

  /// All members at once. An error is one after which nobody else is to be asked.
  awaitable<Result<Layer>> drawn(const Request& request, Turn& turn) const {
    const std::vector<Seat> seats = parts_.panel.seats();
    std::vector<Asking> asked;
    for (const Seat& seat : seats) {
      asked.push_back({.from = parts_.panel.members[seat.member].answerer,
                       .request = parts_.panel.request_for(seat, request)});
    }
    Layer layer{.drawn = co_await draw(std::move(asked), turn)};
    for (std::size_t i = 0; i < seats.size(); ++i) {
      SampledAnswer& drawn = layer.drawn[i];
      const std::string name = parts_.panel.name_of(seats[i]);
      if (!drawn.answer && is_final(drawn.answer.error(), turn)) {
        absorb(layer, nullptr, turn);
        co_return std::unexpected(drawn.answer.error());
      }
      if (const std::string flaw = flaw_of(drawn.answer, request); !flaw.empty()) {
        if (!drawn.answer && layer.failure.detail.empty()) layer.failure = drawn.answer.error();
        layer.words += fmt::format("{}{} {}", layer.words.empty() ? "" : "; ", name, flaw);
        layer.failure.detail = layer.words;
        continue;
      }
      add(drawn, name, layer.candidates);
    }
    co_return layer;
  }

  static void add(SampledAnswer& drawn, const std::string& name,
                  std::vector<Candidate>& candidates) {
    std::string key = answer_key(*drawn.answer);
    const auto same = std::ranges::find(candidates, key, &Candidate::key);
    if (same != candidates.end()) {
      same->names += "+" + name;
    } else {
      candidates.push_back({.key = std::move(key), .names = name, .drawn = &drawn});
    }
  }

  /// Puts the best first, and says how it came to that.
  awaitable<Result<void>> rank_in(Layer& layer, const Request& request, Turn& turn) const {
    std::string flaws = std::exchange(layer.words, {});
    if (!flaws.empty()) flaws.insert(0, "; ");
    if (layer.candidates.size() == 1) {
      layer.words = fmt::format("all answers are equal ({}){}", layer.candidates[0].names, flaws);
      co_return Result<void>{};
    }
    if (parts_.judge == nullptr) {
      layer.words = fmt::format("{} different answers{}", layer.candidates.size(), flaws);
      co_return Result<void>{};
    }
    std::vector<std::string> texts;
    for (const Candidate& candidate : layer.candidates) texts.push_back(candidate.text());
    const Result<Ranking> ranking =
        co_await rank(parts_.judge, std::string(question(request)), std::move(texts), turn);
    if (!ranking) co_return std::unexpected(ranking.error());
    layer.words = words_of(*ranking, layer.candidates) + flaws;
    std::vector<Candidate> ordered;
    for (const std::size_t i : ranking->order) ordered.push_back(std::move(layer.candidates[i]));
    layer.candidates = std::move(ordered);
    co_return Result<void>{};
  }

  /// "small 0.81, other+small#2 0.19; 2 comparisons, 0 of 1 pairs hang on the order"
  static std::string words_of(const Ranking& ranking, const std::vector<Candidate>& candidates) {
    std::string words = ranking.strengths.empty() ? "not ranked, the judge gave no verdict" : "";
    for (std::size_t i = 0; i < ranking.order.size() && !ranking.strengths.empty(); ++i) {
      const std::size_t which = ranking.order[i];
      words += fmt::format("{}{} {:.2f}", i > 0 ? ", " : "", candidates[which].names,
                           ranking.strengths[which]);
    }
    words += fmt::format("; {} comparisons, {} of {} pairs hang on the order", ranking.comparisons,
                         ranking.pairs_in_doubt, ranking.pairs);
    if (ranking.without_verdict > 0) {
      words += fmt::format("; {} without a verdict: {}", ranking.without_verdict, ranking.why);
    }
    return words;
  }

  /// The request for one answer out of the best of the layer.
  Result<Request> fusing(const Layer& layer, const Request& request) const {
    std::string answers;
    for (std::size_t i = 0; i < std::min(parts_.keep, layer.candidates.size()); ++i) {
      answers += fmt::format("{}{}: {}", i > 0 ? "\n" : "", i + 1, layer.candidates[i].text());
    }
    Result<std::string> text =
        render("fuse", {{"question", question(request)}, {"answers", answers}});
    if (!text) return std::unexpected(std::move(text).error());
    return reworded(request, *std::move(text), "rank_fuse");
  }

  awaitable<Result<Answer>> finish(Layer layer, Request request, Turn& turn) const {
    if (parts_.fuse == nullptr || layer.candidates.size() == 1) {
      co_return co_await pass_on(std::move(layer), request.logprobs, turn);
    }
    Result<Request> asked = fusing(layer, request);
    if (!asked) co_return std::unexpected(std::move(asked).error());
    decide(turn, "fused", layer.words);
    Result<Answer> fused = co_await parts_.fuse->answer(*std::move(asked), turn);
    const bool shown = !turn.receipt.authors.empty();
    if (fused || shown || is_final(fused.error(), turn)) {
      absorb(layer, nullptr, turn);
      co_return fused;
    }
    layer.words = fmt::format("the fusion failed: {}: {}", to_string(fused.error().code),
                              fused.error().detail);
    co_return co_await pass_on(std::move(layer), request.logprobs, turn);
  }

  awaitable<Result<Answer>> pass_on(Layer layer, bool logprobs, Turn& turn) const {
    const Candidate& best = layer.candidates.front();
    absorb(layer, best.drawn, turn);
    decide(turn, best.names, layer.words);
    const Result<void> sent = co_await emit_whole(*best.drawn->answer, logprobs, turn);
    if (!sent) co_return std::unexpected(sent.error());
    co_return std::move(best.drawn->answer);
  }

  awaitable<Result<Answer>> without_answers(Layer layer, Request request, Turn& turn) const {
    Error failure = std::move(layer.failure);
    failure.detail = fmt::format("`rank_fuse`: none of {} answers could be had: {}",
                                 layer.drawn.size(), failure.detail);
    decide(turn, parts_.fallback != nullptr ? "fallback" : "none", failure.detail);
    if (parts_.fallback == nullptr) co_return std::unexpected(std::move(failure));
    co_return co_await parts_.fallback->answer(std::move(request), turn);
  }

  static void absorb(const Layer& layer, const SampledAnswer* answer, Turn& turn) {
    for (const SampledAnswer& drawn : layer.drawn) {
      if (&drawn == answer) {
        turn.absorb(*drawn.turn);
      } else {
        absorb_as(turn, *drawn.turn, drawn.answer ? "candidate" : "failed");
      }
    }
  }

  static void decide(Turn& turn, std::string choice, std::string reason) {
    turn.receipt.decisions.push_back(
        {.mechanism = "rank_fuse", .choice = std::move(choice), .reason = std::move(reason)});
  }

  const RankFuseParts parts_;
};

/// What the options say of who ranks and who fuses.
Result<void> read_stages(Options& options, std::size_t answers, RankFuseParts& parts) {
  constexpr int kKeep = 2;
  const auto read = [&options](std::string_view key, AnswererPtr& operand) -> Result<void> {
    if (!options.has(key)) return {};
    Result<AnswererPtr> found = options.operand(key);
    if (!found) return std::unexpected(found.error());
    operand = *std::move(found);
    return {};
  };
  AnswererPtr by;
  if (auto found = read("judge", parts.judge); !found) return found;
  if (auto found = read("by", by); !found) return found;
  if (parts.judge == nullptr && by == nullptr) {
    return std::unexpected(options.error(
        "",
        "`rank_fuse` needs `judge`, a plan that ranks the answers, or `by`, one that fuses "
        "them, or both"));
  }
  const bool fuses = by != nullptr || parts.layers > 1;
  if (options.has("keep") && (parts.judge == nullptr || !fuses)) {
    return std::unexpected(options.error(
        "keep", fuses ? "`keep` takes the best answers, which only a `judge` tells; without one "
                        "all are fused"
                      : "`keep` is how many answers are fused, for which `by` is missing; without "
                        "it the best answer is passed on"));
  }
  const int most = static_cast<int>(answers);
  const Result<int> keep = whole_number(options, "keep", std::min(kKeep, most), 2, most);
  if (!keep) return std::unexpected(keep.error());
  parts.keep = static_cast<std::size_t>(parts.judge != nullptr ? *keep : most);
  if (by == nullptr) return read("fallback", parts.fallback);
  Result<PlainAnswerers> plainly = read_fallback(options, "by", by);
  if (!plainly) return std::unexpected(plainly.error());
  parts.fallback = std::move(plainly->fallback);
  // Also alone it is a fallback's alternative, whose steps are those of a failure when it fails.
  parts.fuse = parts.fallback != nullptr
                   ? std::move(plainly->plain)
                   : make_fallback({{.name = "by", .answerer = std::move(by)}});
  return {};
}

}  // namespace

Result<AnswererPtr> build_rank_fuse(Options& options) {
  constexpr int kMostAnswers = 16, kMostLayers = 8;
  Result<Panel> panel = read_panel(options, kMostAnswers);
  if (!panel) return std::unexpected(panel.error());
  const Result<int> layers = whole_number(options, "layers", 1, 1, kMostLayers);
  if (!layers) return std::unexpected(layers.error());
  RankFuseParts parts{.panel = *std::move(panel), .layers = *layers};
  if (auto read = read_stages(options, parts.panel.seats().size(), parts); !read) {
    return std::unexpected(std::move(read).error());
  }
  return std::make_shared<RankFuse>(std::move(parts));
}

}  // namespace lichen::mechanisms
