#include "mechanisms/routing/cascade.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mechanisms/hand_over.h"
#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/confidence.h"

namespace lichen::mechanisms {
namespace {

/// Whether it was the model's own limit (its context, the endpoint's cap) that ended the answer and
/// not the user's: a larger model may then finish it.
bool cut_short(const Answer& answer, const std::optional<int>& max_tokens) {
  return answer.finish == Finish::length && (!max_tokens || answer.completion_tokens < *max_tokens);
}

struct Verdict {
  bool accepted = false;
  std::string reason;
  std::optional<double> score = {};  // none: small's answer could not be scored
};

/// What the user did not ask for is not shown.
void drop_alternatives(Answer& answer, std::size_t wanted) {
  for (AnswerToken& token : answer.tokens) {
    if (token.top.size() > wanted) token.top.resize(wanted);
  }
}

class Cascade : public Answerer {
 public:
  Cascade(AnswererPtr small, AnswererPtr large, std::unique_ptr<Confidence> confidence,
          double threshold)
      : small_(std::move(small)),
        large_(std::move(large)),
        confidence_(std::move(confidence)),
        threshold_(threshold) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (std::isinf(threshold_)) {
      decide(turn, {.reason = "no threshold keeps the risk"});
      co_return co_await large_->answer(std::move(request), turn);
    }
    const std::unique_ptr<Turn> draft_turn = turn.child();
    Draft draft = co_await drafted(request, *draft_turn);
    if (draft.verdict.accepted) {
      turn.absorb(*draft_turn);
    } else {
      absorb_as(turn, *draft_turn, "draft");
      if (!draft.answer && is_final(draft.answer.error(), turn)) co_return std::move(draft.answer);
    }
    decide(turn, draft.verdict);
    if (!draft.verdict.accepted) co_return co_await large_->answer(std::move(request), turn);
    Result<void> sent = co_await emit_whole(*draft.answer, request.logprobs, turn);
    if (!sent) co_return std::unexpected(std::move(sent).error());
    co_return std::move(draft.answer);
  }

 private:
  struct Draft {
    Result<Answer> answer;
    Verdict verdict;
  };

  void decide(Turn& turn, const Verdict& verdict) const {
    turn.receipt.decisions.push_back(
        {.mechanism = "cascade",
         .choice = verdict.accepted ? "small" : "large",
         .reason = verdict.reason,
         .score = verdict.score,
         .threshold = verdict.score ? std::optional(threshold_) : std::nullopt});
  }

  awaitable<Draft> drafted(Request request, Turn& turn) const {
    Request asked = request;
    asked.logprobs = true;
    asked.top_logprobs = std::max(request.top_logprobs, confidence_->alternatives());
    Draft draft{.answer = co_await small_->answer(std::move(asked), turn), .verdict = {}};
    draft.verdict = co_await judged(request, draft.answer, turn);
    if (draft.answer) {
      drop_alternatives(*draft.answer, static_cast<std::size_t>(request.top_logprobs));
    }
    co_return draft;
  }

  awaitable<Verdict> judged(const Request& request, const Result<Answer>& draft, Turn& turn) const {
    if (!draft) co_return failed("small", draft.error());
    if (draft->text.empty() && draft->tool_calls.empty()) {
      co_return Verdict{.reason = "small said nothing"};
    }
    if (cut_short(*draft, request.max_tokens)) {
      co_return Verdict{.reason = fmt::format("small's answer was cut short after {} tokens",
                                              draft->completion_tokens)};
    }
    const Result<double> score = co_await confidence_->of(request, *draft, turn);
    if (!score) co_return failed(confidence_->words(), score.error());
    const bool accepted = *score >= threshold_;  // not so for NaN
    co_return Verdict{.accepted = accepted,
                      .reason = fmt::format("{} {:.3f} {} threshold {:.4g}", confidence_->words(),
                                            *score, accepted ? "reaches" : "under", threshold_),
                      .score = std::isfinite(*score) ? std::optional(*score) : std::nullopt};
  }

  static Verdict failed(std::string_view what, const Error& error) {
    return {.reason = fmt::format("{} failed: {}: {}", what, to_string(error.code), error.detail)};
  }

  const AnswererPtr small_;
  const AnswererPtr large_;
  const std::unique_ptr<Confidence> confidence_;
  const double threshold_;
};

/// From `threshold`, or `risk` and `calibration`.
Result<double> read_threshold(Options& options, const Confidence::Scale& scale) {
  const auto calibrated = read_calibrated_threshold(options);
  if (!calibrated) return std::unexpected(calibrated.error());
  if (*calibrated) return **calibrated;
  return options.number("threshold", scale.usual, scale.least, scale.most);
}

}  // namespace

Result<AnswererPtr> build_cascade(Options& options) {
  Result<AnswererPtr> small = options.operand("small");
  if (!small) return std::unexpected(small.error());
  Result<AnswererPtr> large = options.operand("large");
  if (!large) return std::unexpected(large.error());
  auto confidence = build_confidence(options, *small);
  if (!confidence) return std::unexpected(confidence.error());
  const Result<double> threshold = read_threshold(options, (*confidence)->scale());
  if (!threshold) return std::unexpected(threshold.error());
  return std::make_shared<Cascade>(*std::move(small), *std::move(large), *std::move(confidence),
                                   *threshold);
}

}  // namespace lichen::mechanisms
