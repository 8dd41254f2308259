#include "mechanisms/verdict.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"
#include "mechanisms/answer_text.h"
#include "mechanisms/hand_over.h"

namespace lichen::mechanisms {
namespace {

constexpr int kTokens = 4;  // of a verdict without a grammar: blanks may come first
/// Endpoints differ in how many they give; five is what all of them do.
constexpr int kAlternatives = 5;

/// ASCII is all that the words are made of.

/// In small letters, without blanks around it.
std::string bare(std::string_view token) {
  std::string word(trimmed(token));
  std::ranges::transform(word, word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return word;
}

Request question_to(const Answerer& judge, std::string prompt, VerdictWords words) {
  Request request;
  request.messages.push_back({.role = "user", .content = std::move(prompt)});
  request.sampling.temperature = 0.0F;
  request.max_tokens = kTokens;
  request.logprobs = true;
  request.top_logprobs = kAlternatives;
  const auto* model = dynamic_cast<const Model*>(&judge);
  if (model != nullptr && model->local()) {
    request.format.gbnf = fmt::format(R"(root ::= "{}" | "{}")", words.first, words.second);
    request.max_tokens = 1;
  }
  return request;
}

double share_by_text(std::string_view text, VerdictWords words) {
  const std::string_view answer = trimmed(text);
  const auto end = std::ranges::find_if_not(answer, base::is_letter);
  const std::string said = bare(std::string_view(answer.begin(), end));
  if (said == bare(words.first)) return 1;
  if (said == bare(words.second)) return 0;
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double share_of_first(std::span<const AnswerToken> verdict, VerdictWords words) {
  const auto token = std::ranges::find_if(
      verdict, [](const AnswerToken& token) { return !bare(token.text).empty(); });
  const std::string first_word = bare(words.first), second_word = bare(words.second);
  double first = 0, second = 0;
  const auto add = [&](std::string_view text, float logprob) {
    const std::string word = bare(text);
    if (word.empty()) return;
    if (first_word.starts_with(word)) first += std::exp(static_cast<double>(logprob));
    if (second_word.starts_with(word)) second += std::exp(static_cast<double>(logprob));
  };
  if (token != verdict.end()) {
    for (const TokenLogprob& other : token->top) add(other.text, other.logprob);
    // Endpoints may leave the token itself out of its alternatives.
    if (std::ranges::find(token->top, token->text, &TokenLogprob::text) == token->top.end()) {
      add(token->text, token->logprob);
    }
  }
  if (!(first + second > 0)) return std::numeric_limits<double>::quiet_NaN();
  return first / (first + second);
}

awaitable<Result<double>> ask_verdict(AnswererPtr judge, std::string prompt, VerdictWords words,
                                      std::string role, Turn& turn) {
  Request asked = question_to(*judge, std::move(prompt), words);
  const std::unique_ptr<Turn> child = turn.child();
  const Result<Answer> verdict = co_await judge->answer(std::move(asked), *child);
  absorb_as(turn, *child, role);
  if (!verdict) co_return std::unexpected(verdict.error());
  const bool told = !verdict->tokens.empty();
  const double share =
      told ? share_of_first(verdict->tokens, words) : share_by_text(verdict->text, words);
  if (!std::isnan(share)) co_return share;
  constexpr std::size_t kShown = 40;
  std::string_view said = trimmed(verdict->text).substr(0, kShown);
  said = said.substr(0, base::complete_utf8_prefix(said));
  co_return fail(Errc::upstream, fmt::format("the verdict `{}`{} is neither {} nor {}", said,
                                             told ? "" : ", which came without log-probabilities,",
                                             words.first, words.second));
}

}  // namespace lichen::mechanisms
