#include "mechanisms/auxiliary/verify.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/auxiliary/selector.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/sampled_answers.h"
#include "mechanisms/whole_number.h"

namespace lichen::mechanisms {
namespace {

/// All that was drawn for one request. Candidates point to the answers of `drawn`.
struct Draws {
  std::vector<std::unique_ptr<SampledAnswer>> drawn = {};
  std::vector<Candidate> candidates = {};
  std::optional<Error> failure = {};  // the first that an answer failed with
  std::optional<Error> unverified = {};

  int count() const { return static_cast<int>(drawn.size()); }
};

class Verify : public Answerer {
 public:
  Verify(AnswererPtr of, int n, float temperature, std::unique_ptr<Selector> selector)
      : of_(std::move(of)), n_(n), temperature_(temperature), selector_(std::move(selector)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    Draws draws;
    while (draws.count() < n_ && !draws.unverified) {
      const int wanted = selector_->wanted(draws.candidates, n_ - draws.count());
      if (wanted == 0) break;
      co_await draw_more(request, wanted, draws, turn);
      if (draws.failure && is_final(*draws.failure, turn)) break;
      // With one candidate and none to come there is nothing to choose between.
      if (draws.candidates.size() <= 1 && draws.count() >= n_) break;
      const Result<void> scored = co_await selector_->score(request, draws.candidates, turn);
      if (!scored) draws.unverified = scored.error();
    }
    co_return co_await chosen(std::move(draws), request.logprobs, turn);
  }

 private:
  awaitable<void> draw_more(const Request& request, int count, Draws& draws, Turn& turn) const {
    std::vector<Request> requests;
    for (int i = draws.count(); i < draws.count() + count; ++i) {
      requests.push_back(i == 0 ? request : sampled(request, temperature_, i));
    }
    std::vector<SampledAnswer> samples = co_await draw(of_, std::move(requests), turn);
    for (SampledAnswer& sample : samples) {
      draws.drawn.push_back(std::make_unique<SampledAnswer>(std::move(sample)));
      const Result<Answer>& answer = draws.drawn.back()->answer;
      if (answer) {
        add(*answer, draws.candidates);
      } else if (!draws.failure || is_final(answer.error(), turn)) {
        draws.failure = answer.error();
      }
    }
  }

  void add(const Answer& answer, std::vector<Candidate>& candidates) const {
    std::string key = selector_->key(answer);
    auto candidate = std::ranges::find(candidates, key, &Candidate::key);
    if (candidate == candidates.end()) {
      candidates.push_back({.key = std::move(key), .answer = &answer});
      candidate = candidates.end() - 1;
    }
    ++candidate->votes;
  }

  awaitable<Result<Answer>> chosen(Draws draws, bool logprobs, Turn& turn) const {
    const std::optional<Error>& failure = draws.failure;
    const std::optional<Error>& unverified = draws.unverified;
    std::optional<Error> final;
    if (failure && (draws.candidates.empty() || is_final(*failure, turn))) final = failure;
    if (unverified && is_final(*unverified, turn)) final = unverified;
    if (final) {
      for (const auto& sample : draws.drawn) absorb_as(turn, *sample->turn, "sample");
      co_return std::unexpected(*std::move(final));
    }
    const std::size_t best = unverified ? 0 : best_of(draws.candidates);
    const Candidate& candidate = draws.candidates[best];
    std::string choice;
    Answer answer = *candidate.answer;
    for (std::size_t i = 0; i < draws.drawn.size(); ++i) {
      SampledAnswer& sample = *draws.drawn[i];
      if (sample.answer && &*sample.answer == candidate.answer) {
        turn.absorb(*sample.turn);
        choice = fmt::format("answer {}", i + 1);
      } else {
        absorb_as(turn, *sample.turn, sample.answer ? "sample" : "failed");
      }
    }
    turn.receipt.decisions.push_back(
        {.mechanism = "verify", .choice = std::move(choice), .reason = reason(draws, best)});
    const Result<void> sent = co_await emit_whole(answer, logprobs, turn);
    if (!sent) co_return std::unexpected(sent.error());
    co_return answer;
  }

  /// "log-prob under large -0.31, next -2.40; 4 answers of 4, 3 different"
  std::string reason(const Draws& draws, std::size_t best) const {
    std::string drawn = fmt::format("{} answers of at most {}, {} different", draws.count(), n_,
                                    draws.candidates.size());
    if (draws.unverified) {
      return fmt::format("not verified, the first is taken: {}: {}; {}",
                         to_string(draws.unverified->code), draws.unverified->detail, drawn);
    }
    const auto unjudged = std::ranges::count_if(draws.candidates, [](const Candidate& candidate) {
      return candidate.score && std::isnan(*candidate.score);
    });
    if (unjudged > 0) drawn += fmt::format(", {} without a verdict", unjudged);
    const std::optional<double> score = draws.candidates[best].score;
    if (!score) return drawn;
    std::string next;
    std::optional<double> second;
    for (std::size_t i = 0; i < draws.candidates.size(); ++i) {
      const std::optional<double> other = draws.candidates[i].score;
      if (i != best && other && *other > second.value_or(-INFINITY)) second = other;
    }
    if (second) next = fmt::format(", next {:.4g}", *second);
    return fmt::format("{} {:.4g}{}; {}", selector_->words(), *score, next, drawn);
  }

  const AnswererPtr of_;
  const int n_;
  const float temperature_;
  const std::unique_ptr<Selector> selector_;
};

}  // namespace

Result<AnswererPtr> build_verify(Options& options) {
  constexpr int kUsual = 4, kMost = 64;
  constexpr double kTemperature = 0.7;
  Result<AnswererPtr> of = options.operand("of");
  if (!of) return std::unexpected(of.error());
  const Result<int> n = whole_number(options, "n", kUsual, 1, kMost);
  if (!n) return std::unexpected(n.error());
  const Result<double> temperature = options.number("temperature", kTemperature, 0.01, 2);
  if (!temperature) return std::unexpected(temperature.error());
  auto selector = build_selector(options);
  if (!selector) return std::unexpected(selector.error());
  return std::make_shared<Verify>(*std::move(of), *n, static_cast<float>(*temperature),
                                  *std::move(selector));
}

}  // namespace lichen::mechanisms
