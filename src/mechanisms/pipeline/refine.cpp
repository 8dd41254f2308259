#include "mechanisms/pipeline/refine.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "mechanisms/answer_text.h"
#include "mechanisms/auxiliary/reworded.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/pipeline/draft_check.h"
#include "mechanisms/pipeline/review.h"
#include "mechanisms/plain_answerers.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/whole_number.h"

namespace lichen::mechanisms {
namespace {

void decide(Turn& turn, std::string choice, std::string reason) {
  turn.receipt.decisions.push_back(
      {.mechanism = "refine", .choice = std::move(choice), .reason = std::move(reason)});
}

struct RefineParts {
  AnswererPtr draft;
  AnswererPtr by;
  PlainAnswerers plainly;
  /// Null: large is asked what it thinks of the draft.
  std::unique_ptr<DraftCheck> check;
  double accept = 0.5;
  bool mend = true;    // else large answers from the start
  int max_tokens = 0;  // of the edits
  bool local = false;  // large can be stopped at no cost
};

/// Why a draft is not worth a review; empty: it is.
std::string unusable(const Result<Answer>& draft, const Request& request) {
  if (!draft) {
    return fmt::format("small failed: {}: {}", to_string(draft.error().code), draft.error().detail);
  }
  if (trimmed(said(*draft)).empty()) return "small said nothing";
  if (cut_short(*draft, request.max_tokens)) {
    return fmt::format("small's answer was cut short after {} tokens", draft->completion_tokens);
  }
  return {};
}

/// Of a request that is longer by a draft, or of a draft that cannot be read: large may well
/// answer.
bool is_limit(Errc code) {
  return code == Errc::context_overflow || code == Errc::too_large || code == Errc::unsupported;
}

class Refine : public Answerer {
 public:
  explicit Refine(RefineParts parts) : parts_(std::move(parts)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (Result<Request> fits = reworded(request, {}, "refine"); !fits) {
      co_return std::unexpected(std::move(fits).error());
    }
    const std::unique_ptr<Turn> drafting = turn.child();
    Result<Answer> draft = co_await parts_.draft->answer(request, *drafting);
    absorb_as(turn, *drafting, "draft");
    std::string reason = unusable(draft, request);
    if (!draft && is_final(draft.error(), turn)) co_return draft;
    if (!reason.empty()) co_return co_await by_large(std::move(request), std::move(reason), turn);
    if (parts_.check) co_return co_await checked(std::move(request), *std::move(draft), turn);
    co_return co_await reviewed(std::move(request), *std::move(draft), turn);
  }

 private:
  awaitable<Result<Answer>> by_large(Request request, std::string reason, Turn& turn) const {
    decide(turn, "large", std::move(reason));
    co_return co_await parts_.plainly.plain->answer(std::move(request), turn);
  }

  awaitable<Result<Answer>> reviewed(Request request, Answer draft, Turn& turn) const {
    Result<Request> asked = review_request(request, draft);
    if (!asked) co_return std::unexpected(std::move(asked).error());
    const bool edits = parts_.mend && mendable(request) && !request.logprobs;
    Review review(draft.text, {.accept = parts_.accept, .edits = edits, .hang_up = parts_.local});
    const std::unique_ptr<Turn> reviewing = turn.child(&review);
    Result<Answer> reply = co_await parts_.by->answer(*std::move(asked), *reviewing);
    if (reply) review.finish(*reply);
    absorb_as(turn, *reviewing, review.verdict() == Review::Verdict::none ? "failed" : "refine");
    if (std::optional<Error> stopped = turn.stopped()) co_return std::unexpected(*stopped);
    switch (review.verdict()) {
      case Review::Verdict::accepted:
        decide(turn, "draft", review.reason());
        co_return co_await sent(std::move(draft), request.logprobs, turn);
      case Review::Verdict::mended:
        decide(turn, "mended", review.reason());
        co_return co_await sent(review.mended(draft, request.stop), request.logprobs, turn);
      case Review::Verdict::unsure:
      case Review::Verdict::useless:
        co_return co_await by_large(std::move(request), review.reason(), turn);
      case Review::Verdict::none: break;
    }
    co_return co_await without_review(std::move(request), std::move(draft),
                                      std::move(reply).error(), turn);
  }

  awaitable<Result<Answer>> checked(Request request, Answer draft, Turn& turn) const {
    const bool go_on = parts_.mend && mendable(request);
    Result<CheckedDraft> checked =
        draft.tool_calls.empty()
            ? co_await parts_.check->check(request, draft, parts_.accept, go_on, turn)
            : fail(Errc::unsupported, "calls of tools cannot be read token by token");
    const bool shown = !turn.receipt.authors.empty();  // of an answer that broke off
    if (!checked && shown) co_return std::unexpected(std::move(checked).error());
    if (!checked) {
      co_return co_await without_review(std::move(request), std::move(draft),
                                        std::move(checked).error(), turn);
    }
    const bool end_in_doubt = !checked->stands && checked->agreed == checked->tokens;
    std::string reason = fmt::format("large agrees with {} of {} tokens{}", checked->agreed,
                                     checked->tokens, end_in_doubt ? ", but not to end there" : "");
    if (checked->stands) {
      decide(turn, "draft", std::move(reason));
      co_return co_await sent(std::move(draft), request.logprobs, turn);
    }
    if (!checked->mended) co_return co_await by_large(std::move(request), std::move(reason), turn);
    decide(turn, "mended", std::move(reason));
    co_return *std::move(checked->mended);
  }

  /// A form might be lost in the mending, and calls of tools are no text.
  static bool mendable(const Request& request) {
    return request.format.free() && request.tools.empty();
  }

  Result<Request> review_request(const Request& request, const Answer& draft) const {
    constexpr int kAlternatives = 5;  // what all endpoints give
    const std::string says = said(draft);
    Result<std::string> text =
        render("refine", {{"question", question(request)}, {"draft", trimmed(says)}});
    if (!text) return std::unexpected(std::move(text).error());
    Request plain = plain_request(request);
    plain.sampling.temperature = 0.0F;
    plain.max_tokens = parts_.max_tokens;
    plain.logprobs = true;
    plain.top_logprobs = kAlternatives;
    return reworded(std::move(plain), *std::move(text), "refine");
  }

  static awaitable<Result<Answer>> sent(Answer answer, bool logprobs, Turn& turn) {
    const Result<void> emitted = co_await emit_whole(answer, logprobs, turn);
    if (!emitted) co_return std::unexpected(emitted.error());
    co_return answer;
  }

  awaitable<Result<Answer>> without_review(Request request, Answer draft, Error error,
                                           Turn& turn) const {
    if (is_final(error, turn)) co_return std::unexpected(std::move(error));
    const std::string why =
        fmt::format("the review failed: {}: {}", to_string(error.code), error.detail);
    if (is_limit(error.code)) co_return co_await by_large(std::move(request), why, turn);
    if (parts_.plainly.fallback == nullptr) {
      decide(turn, "none", why);
      error.detail = fmt::format(
          "`refine`: small had drafted {} tokens when large failed: {} (`fallback` would name who "
          "answers then)",
          draft.completion_tokens, error.detail);
      co_return std::unexpected(std::move(error));
    }
    decide(turn, "fallback", why);
    if (parts_.plainly.fallback == parts_.draft) {
      co_return co_await sent(std::move(draft), request.logprobs, turn);
    }
    co_return co_await parts_.plainly.fallback->answer(std::move(request), turn);
  }

  const RefineParts parts_;
};

bool is_local(const AnswererPtr& answerer) {
  const auto* model = dynamic_cast<const Model*>(answerer.get());
  return model != nullptr && model->local();
}

std::optional<Error> check_together(Options& options, const AnswererPtr& by, bool asked,
                                    const std::string& mend) {
  if (!asked && !is_local(by)) {
    return options.error("check",
                         "`check: likelihood` reads `by`'s own probabilities of the draft's "
                         "tokens, so `by` must be a local model (one with `gguf`), not a plan or a "
                         "remote model; `check: asked` needs its text alone");
  }
  if (asked && mend == "rest") {
    return options.error("mend",
                         "`mend: rest` goes on from the first token in doubt, which only "
                         "`check: likelihood` tells");
  }
  if (!asked && mend == "edits") {
    return options.error("mend",
                         "`mend: edits` is what large says when it is asked: with `check: "
                         "likelihood`, `mend` is `rest` or `answer`");
  }
  return std::nullopt;
}

}  // namespace

Result<AnswererPtr> build_refine(Options& options) {
  constexpr double kAccept = 0.5;
  constexpr int kEditTokens = 256, kMostTokens = 100'000;
  constexpr std::string_view kChecks[] = {"asked", "likelihood"};
  constexpr std::string_view kMend[] = {"edits", "rest", "answer"};
  Result<AnswererPtr> draft = options.operand("draft");
  if (!draft) return std::unexpected(draft.error());
  Result<AnswererPtr> by = options.operand("by");
  if (!by) return std::unexpected(by.error());
  auto plainly = read_fallback(options, "by", *by);
  if (!plainly) return std::unexpected(plainly.error());
  const Result<double> accept = options.number("accept", kAccept, 0, 1);
  if (!accept) return std::unexpected(accept.error());
  const Result<std::string> check = options.choice("check", kChecks, kChecks[0]);
  if (!check) return std::unexpected(check.error());
  const bool asked = *check == kChecks[0];
  const Result<std::string> mend = options.choice("mend", kMend, asked ? kMend[0] : kMend[1]);
  if (!mend) return std::unexpected(mend.error());
  if (const auto wrong = check_together(options, *by, asked, *mend)) return std::unexpected(*wrong);
  const Result<int> max_tokens = whole_number(options, "max_tokens", kEditTokens, 1, kMostTokens);
  if (!max_tokens) return std::unexpected(max_tokens.error());
  RefineParts parts{.draft = *std::move(draft),
                    .by = *by,
                    .plainly = *std::move(plainly),
                    .check = asked ? nullptr : std::make_unique<DraftCheck>(*by),
                    .accept = *accept,
                    .mend = *mend != "answer",
                    .max_tokens = *max_tokens,
                    .local = is_local(*by)};
  return std::make_shared<Refine>(std::move(parts));
}

}  // namespace lichen::mechanisms
