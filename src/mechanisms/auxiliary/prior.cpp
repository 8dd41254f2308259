#include "mechanisms/auxiliary/prior.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "mechanisms/answer_text.h"
#include "mechanisms/auxiliary/reworded.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/confidence.h"
#include "mechanisms/routing/question.h"

namespace lichen::mechanisms {
namespace {

void decide(Turn& turn, std::string choice, std::string reason) {
  turn.receipt.decisions.push_back(
      {.mechanism = "prior", .choice = std::move(choice), .reason = std::move(reason)});
}

class Prior : public Answerer {
 public:
  Prior(AnswererPtr small, AnswererPtr large, std::unique_ptr<Confidence> confidence)
      : small_(std::move(small)), large_(std::move(large)), confidence_(std::move(confidence)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (Result<Request> fits = reworded(request, {}, "prior"); !fits) {
      co_return std::unexpected(std::move(fits).error());
    }
    Request asked = request;
    asked.logprobs = true;
    asked.top_logprobs = confidence_->alternatives();
    const std::unique_ptr<Turn> child = turn.child();
    const Result<Answer> draft = co_await small_->answer(std::move(asked), *child);
    absorb_as(turn, *child, "draft");
    if (!draft && is_final(draft.error(), turn)) co_return std::unexpected(draft.error());
    const std::string says = draft ? said(*draft) : std::string();
    if (trimmed(says).empty()) {
      decide(turn, "without",
             draft ? "small said nothing"
                   : fmt::format("small failed: {}: {}", to_string(draft.error().code),
                                 draft.error().detail));
      co_return co_await large_->answer(std::move(request), turn);
    }
    const std::string confidence = co_await confidence_in(request, *draft, turn);
    Result<std::string> prompt = render(
        "prior",
        {{"question", question(request)}, {"confidence", confidence}, {"answer", trimmed(says)}});
    if (!prompt) co_return std::unexpected(std::move(prompt).error());
    Result<Request> with = reworded(std::move(request), *std::move(prompt), "prior");
    if (!with) co_return std::unexpected(std::move(with).error());
    co_return co_await large_->answer(*std::move(with), turn);
  }

 private:
  /// "0.87", as the prompt has it.
  awaitable<std::string> confidence_in(const Request& request, const Answer& draft,
                                       Turn& turn) const {
    const Result<double> score = co_await confidence_->of(request, draft, turn);
    if (!score || std::isnan(*score)) {
      decide(turn, "with",
             fmt::format("small's answer; {} is unknown: {}", confidence_->words(),
                         score ? "no number" : score.error().detail));
      co_return "unknown";
    }
    std::string told = fmt::format("{:.2f}", as_probability(*confidence_, *score));
    decide(
        turn, "with",
        fmt::format("small's answer; {} {:.3f}, told as {}", confidence_->words(), *score, told));
    co_return told;
  }

  const AnswererPtr small_;
  const AnswererPtr large_;
  const std::unique_ptr<Confidence> confidence_;
};

}  // namespace

Result<AnswererPtr> build_prior(Options& options) {
  Result<AnswererPtr> small = options.operand("small");
  if (!small) return std::unexpected(small.error());
  Result<AnswererPtr> large = options.operand("large");
  if (!large) return std::unexpected(large.error());
  auto confidence = build_confidence(options, *small);
  if (!confidence) return std::unexpected(confidence.error());
  return std::make_shared<Prior>(*std::move(small), *std::move(large), *std::move(confidence));
}

}  // namespace lichen::mechanisms
