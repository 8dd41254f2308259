#include "mechanisms/routing/shadow.h"

#include <optional>
#include <utility>

#include "mechanisms/hand_over.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/routing/text_features.h"

namespace lichen::mechanisms {
namespace {

constexpr int kVerdictTokens = 8;

bool alike(const Answer& a, const Answer& b) {
  return normalized(a.text) == normalized(b.text) && a.tool_calls == b.tool_calls;
}

awaitable<Result<Answer>> ask(AnswererPtr answerer, Request request, std::string role, Turn& turn) {
  const std::unique_ptr<Turn> child = turn.child();
  Result<Answer> answer = co_await answerer->answer(std::move(request), *child);
  absorb_as(turn, *child, role);
  co_return answer;
}

/// None: the judge did not say.
awaitable<Result<std::optional<bool>>> is_right(AnswererPtr judge, std::string question,
                                                std::string answer, Turn& turn) {
  auto prompt = render("judge", {{"question", question}, {"answer", answer}});
  if (!prompt) co_return std::unexpected(prompt.error());
  Request request;
  request.messages.push_back({.role = "user", .content = *std::move(prompt)});
  request.max_tokens = kVerdictTokens;
  const Result<Answer> verdict = co_await ask(std::move(judge), std::move(request), "judge", turn);
  if (!verdict) co_return std::unexpected(verdict.error());
  const std::string said = normalized(verdict->text);
  if (said.starts_with("yes")) co_return true;
  if (said.starts_with("no")) co_return false;
  co_return std::nullopt;
}

void note(Turn& turn, std::string choice, std::string reason) {
  turn.receipt.decisions.push_back(
      {.mechanism = "shadow", .choice = std::move(choice), .reason = std::move(reason)});
}

awaitable<Result<void>> compare(Shadow parts, Request request, Answer by_small, Turn& turn) {
  const std::string asked(question(request));
  const Result<Answer> by_large = co_await ask(parts.large, std::move(request), "shadow", turn);
  if (!by_large) co_return std::unexpected(by_large.error());
  bool lost = !alike(by_small, *by_large);
  std::string reason = lost ? "the answers differ" : "the answers agree";
  if (lost && parts.judge) {
    const auto large_right = co_await is_right(parts.judge, asked, by_large->text, turn);
    if (!large_right) co_return std::unexpected(large_right.error());
    const auto small_right = co_await is_right(parts.judge, asked, by_small.text, turn);
    if (!small_right) co_return std::unexpected(small_right.error());
    if (!*large_right || !*small_right) {
      note(turn, "unknown", "the judge says neither yes nor no");
      co_return Result<void>{};
    }
    lost = large_right->value_or(false) && !small_right->value_or(true);
    reason = lost ? "the judge takes large's answer alone for right"
                  : "the judge does not take large's answer alone for right";
  }
  note(turn, lost ? "lost" : "kept", std::move(reason));
  parts.watch->observe(lost);
  co_return Result<void>{};
}

}  // namespace

Turn::Later shadow(Shadow parts, Request request, Answer by_small) {
  return [parts = std::move(parts), request = std::move(request), by_small = std::move(by_small)](
             Turn& turn) { return compare(parts, request, by_small, turn); };
}

}  // namespace lichen::mechanisms
