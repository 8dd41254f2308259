#include "mechanisms/distillation/answer_scorer.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <limits>
#include <string>
#include <utility>

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

/// Of the tokens that end an answer, together. What is not among the alternatives is hardly worth
/// anything.
float end_logprob(const Row& row, const model::Vocabulary& vocabulary) {
  float best = -std::numeric_limits<float>::infinity();
  for (const TokenProb& each : row.top) {
    if (vocabulary.ends(each.token)) best = std::max(best, each.logprob);
  }
  return best;
}

}  // namespace

awaitable<Result<void>> AnswerScorer::score(Request request, Answer& answer, Turn& turn) const {
  request.format = {};  // as it stands
  request.sampling = {};
  request.max_tokens.reset();
  Result<model::PreparedRequest> job = co_await model_->prepare(std::move(request));
  if (!job) co_return std::unexpected(std::move(job).error());
  const model::Vocabulary& vocabulary = model_->vocabulary();
  Result<std::vector<Token>> tokens = vocabulary.tokenize(answer.text, false);
  if (!tokens) co_return std::unexpected(std::move(tokens).error());

  Result<std::vector<Row>> rows = co_await asio::co_spawn(
      model_->lane().executor(), read(std::move(job->prompt), *tokens, turn), asio::use_awaitable);
  if (!rows) co_return std::unexpected(std::move(rows).error());
  std::vector<AnswerToken> scored;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const Row& row = (*rows)[i];
    const bool end = i == tokens->size();
    if (end && answer.finish != Finish::stop) break;
    AnswerToken& token = scored.emplace_back();
    if (!end) token.text = vocabulary.piece((*tokens)[i]);
    token.logprob = end ? end_logprob(row, vocabulary) : row.input_logprob;
    for (const TokenProb& other : row.top) {
      const bool ends = vocabulary.ends(other.token);
      const std::string_view piece = vocabulary.piece(other.token);
      if (ends || !piece.empty()) {  // other control tokens are no text
        token.top.push_back({ends ? std::string() : std::string(piece), other.logprob});
      }
    }
  }
  answer.tokens = std::move(scored);
  co_return Result<void>{};
}

awaitable<Result<std::vector<Row>>> AnswerScorer::read(std::vector<Token> prompt,
                                                       std::vector<Token> answer,
                                                       Turn& turn) const {
  // The row that an answer's token is read off stands behind the one before, the prompt's last at
  // first; the last row tells of the end.
  const auto count = static_cast<std::int64_t>(prompt.size() + answer.size());
  answer.insert(answer.begin(), prompt.back());
  prompt.pop_back();
  Session session = model_->open_session(turn);
  Result<std::vector<Row>> rows;
  if (!prompt.empty()) rows = co_await session.decode(prompt, {.rows = Want::Rows::none});
  if (rows) {
    const Want want{.rows = Want::Rows::all, .top_k = alternatives_, .input_logprobs = true};
    rows = co_await session.decode(answer, want);
  }
  turn.receipt.steps.push_back(model_->step_of(session, "score", count, 0));
  co_return rows;
}

}  // namespace lichen::mechanisms
