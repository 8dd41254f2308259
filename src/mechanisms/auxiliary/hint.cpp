#include "mechanisms/auxiliary/hint.h"

#include <spdlog/fmt/fmt.h>

#include <memory>
#include <string>
#include <utility>

#include "mechanisms/answer_text.h"
#include "mechanisms/auxiliary/reworded.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/whole_number.h"

namespace lichen::mechanisms {
namespace {

void decide(Turn& turn, std::string choice, std::string reason) {
  turn.receipt.decisions.push_back(
      {.mechanism = "hint", .choice = std::move(choice), .reason = std::move(reason)});
}

class Hint : public Answerer {
 public:
  Hint(AnswererPtr small, AnswererPtr large, int max_tokens)
      : small_(std::move(small)), large_(std::move(large)), max_tokens_(max_tokens) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    Result<Request> asked = question_to_large(request);
    if (!asked) co_return std::unexpected(std::move(asked).error());
    const std::unique_ptr<Turn> child = turn.child();
    const Result<Answer> hint = co_await large_->answer(*std::move(asked), *child);
    absorb_as(turn, *child, "hint");
    if (!hint && is_final(hint.error(), turn)) co_return std::unexpected(hint.error());
    if (Result<Request> with = with_hint(request, hint, turn)) {
      co_return co_await small_->answer(*std::move(with), turn);
    }
    co_return co_await small_->answer(std::move(request), turn);
  }

 private:
  Result<Request> question_to_large(const Request& request) const {
    Result<std::string> text = render("hint_write", {{"question", question(request)}});
    if (!text) return std::unexpected(std::move(text).error());
    Request plain = plain_request(request);
    plain.max_tokens = max_tokens_;
    return reworded(std::move(plain), *std::move(text), "hint");
  }

  /// An error where there is nothing to go by; the receipt says in both cases what there was.
  static Result<Request> with_hint(const Request& request, const Result<Answer>& hint, Turn& turn) {
    if (!hint) {
      decide(
          turn, "without",
          fmt::format("large failed: {}: {}", to_string(hint.error().code), hint.error().detail));
      return std::unexpected(hint.error());
    }
    const std::string_view text = trimmed(hint->text);
    if (text.empty()) {
      decide(turn, "without", "large's hint was empty");
      return fail(Errc::upstream, "the hint was empty");
    }
    Result<std::string> prompt =
        render("hint_use", {{"question", question(request)}, {"hint", text}});
    if (!prompt) return std::unexpected(std::move(prompt).error());
    decide(turn, "with",
           fmt::format("large's hint of {} tokens{}", hint->completion_tokens,
                       hint->finish == Finish::length ? ", cut off at max_tokens" : ""));
    return reworded(request, *std::move(prompt), "hint");
  }

  const AnswererPtr small_;
  const AnswererPtr large_;
  const int max_tokens_;
};

}  // namespace

Result<AnswererPtr> build_hint(Options& options) {
  constexpr int kUsual = 64, kMost = 100'000;
  Result<AnswererPtr> small = options.operand("small");
  if (!small) return std::unexpected(small.error());
  Result<AnswererPtr> large = options.operand("large");
  if (!large) return std::unexpected(large.error());
  const Result<int> max_tokens = whole_number(options, "max_tokens", kUsual, 1, kMost);
  if (!max_tokens) return std::unexpected(max_tokens.error());
  return std::make_shared<Hint>(*std::move(small), *std::move(large), *max_tokens);
}

}  // namespace lichen::mechanisms
