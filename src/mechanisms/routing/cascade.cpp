#include "mechanisms/routing/cascade.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/hand_over.h"
#include "mechanisms/routing/confidence.h"

namespace lichen::mechanisms {
namespace {

constexpr double kDefaultThreshold = -0.25;
constexpr double kMinThreshold = -20;

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

class Cascade : public Answerer {
 public:
  Cascade(AnswererPtr small, AnswererPtr large, const Confidence& confidence, double threshold)
      : small_(std::move(small)),
        large_(std::move(large)),
        confidence_(confidence),
        threshold_(threshold) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    const std::unique_ptr<Turn> draft_turn = turn.child();
    Request draft_request = request;
    draft_request.logprobs = true;
    Result<Answer> draft = co_await small_->answer(std::move(draft_request), *draft_turn);
    const Verdict verdict = judge(draft, request.max_tokens);
    if (verdict.accepted) {
      turn.absorb(*draft_turn);
    } else {
      absorb_as(turn, *draft_turn, "draft");
      if (!draft && is_final(draft.error(), turn)) co_return draft;
    }
    turn.receipt.decisions.push_back(
        {.mechanism = "cascade",
         .choice = verdict.accepted ? "small" : "large",
         .reason = verdict.reason,
         .score = verdict.score,
         .threshold = verdict.score ? std::optional(threshold_) : std::nullopt});
    if (!verdict.accepted) co_return co_await large_->answer(std::move(request), turn);
    Result<void> sent = co_await emit_whole(*draft, request.logprobs, turn);
    if (!sent) co_return std::unexpected(std::move(sent).error());
    co_return draft;
  }

 private:
  Verdict judge(const Result<Answer>& draft, const std::optional<int>& max_tokens) const {
    if (!draft) {
      return {.reason = fmt::format("small failed: {}: {}", to_string(draft.error().code),
                                    draft.error().detail)};
    }
    if (draft->text.empty() && draft->tool_calls.empty()) return {.reason = "small said nothing"};
    if (cut_short(*draft, max_tokens)) {
      return {.reason = fmt::format("small's answer was cut short after {} tokens",
                                    draft->completion_tokens)};
    }
    if (draft->tokens.empty()) return {.reason = "small gave no log-probabilities"};
    const double score = confidence_.of(draft->tokens);
    const bool accepted = score >= threshold_;  // not so for NaN
    return {.accepted = accepted,
            .reason = fmt::format("{} {:.3f} {} threshold {}", confidence_.words, score,
                                  accepted ? "reaches" : "under", threshold_),
            .score = std::isfinite(score) ? std::optional(score) : std::nullopt};
  }

  const AnswererPtr small_;
  const AnswererPtr large_;
  const Confidence& confidence_;
  const double threshold_;
};

}  // namespace

Result<AnswererPtr> build_cascade(Options& options) {
  std::vector<std::string_view> names;
  for (const Confidence& confidence : confidences()) names.push_back(confidence.name);
  Result<std::string> chosen = options.choice("confidence", names, names.front());
  if (!chosen) return std::unexpected(chosen.error());
  const Confidence& confidence =
      *std::ranges::find(confidences(), std::string_view(*chosen), &Confidence::name);
  Result<double> threshold = options.number("threshold", kDefaultThreshold, kMinThreshold, 0);
  if (!threshold) return std::unexpected(threshold.error());
  Result<AnswererPtr> small = options.operand("small");
  if (!small) return std::unexpected(small.error());
  Result<AnswererPtr> large = options.operand("large");
  if (!large) return std::unexpected(large.error());
  return std::make_shared<Cascade>(*std::move(small), *std::move(large), confidence, *threshold);
}

}  // namespace lichen::mechanisms
