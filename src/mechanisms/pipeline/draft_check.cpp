#include "mechanisms/pipeline/draft_check.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <span>
#include <string>
#include <utility>

#include "mechanisms/auxiliary/end_reader.h"
#include "mechanisms/pipeline/draft.h"
#include "model/answer_writer.h"

namespace lichen::mechanisms {

namespace asio = boost::asio;

/// What is to be read and how.
struct DraftCheck::Job {
  model::PreparedRequest request;
  Answer draft;
  std::vector<Token> tokens;  // the draft's
  double accept;
  bool go_on;
};

/// On the model's lane.
class DraftCheck::Checking {
 public:
  Checking(model::LocalModel& model, std::span<const Token> ends, Job job, Turn& turn)
      : model_(model),
        job_(std::move(job)),
        turn_(turn),
        end_(ends),
        session_(model.open_session(turn)) {}

  awaitable<Result<CheckedDraft>> run() {
    Result<CheckedDraft> checked = co_await read();
    std::int64_t written = 0;
    if (checked && !checked->stands && job_.go_on) {
      model::AnswerWriter writer(job_.request.form, model_.chat(), turn_);
      const Result<void> done = co_await write(checked->agreed, writer);
      written = writer.tokens_of(model_.name());
      Result<Answer> answer = std::unexpected(Error{});
      if (done) answer = co_await writer.finish();
      if (!done) answer = std::unexpected(done.error());
      if (answer) checked->mended = *std::move(answer);
      if (!answer) checked = std::unexpected(std::move(answer).error());
    }
    const auto heard = std::ssize(job_.request.prompt) + std::ssize(job_.tokens);
    Step step = model_.step_of(session_, written > 0 ? "answer" : "refine", heard, written);
    turn_.receipt.steps.push_back(std::move(step));
    if (checked && checked->mended) {
      checked->mended->prompt_tokens = std::ssize(job_.request.prompt);
      checked->mended->cached_tokens = session_.stats().tokens_cached;
    }
    co_return checked;
  }

 private:
  /// Rows of the prompt are of no use, so they are not computed.
  awaitable<Result<CheckedDraft>> read() {
    const std::span<const Token> prompt = job_.request.prompt;
    if (prompt.size() > 1) {
      const Want nothing{.rows = Want::Rows::none};
      const auto read = co_await session_.decode(prompt.first(prompt.size() - 1), nothing);
      if (!read) co_return std::unexpected(read.error());
    }
    std::vector<Token> rest{prompt.back()};
    rest.insert(rest.end(), job_.tokens.begin(), job_.tokens.end());
    const Want want{.rows = Want::Rows::all, .sampler = &end_, .input_logprobs = true};
    const auto rows = co_await session_.decode(rest, want);
    if (!rows) co_return std::unexpected(rows.error());
    CheckedDraft checked{.tokens = job_.tokens.size()};
    while (checked.agreed < checked.tokens &&
           agrees((*rows)[checked.agreed], job_.tokens[checked.agreed])) {
      ++checked.agreed;
    }
    const bool ends = job_.draft.finish == Finish::length ||
                      model_.vocabulary().ends(rows->back().token) ||
                      std::exp(end_.logprob()) >= job_.accept;
    checked.stands = checked.agreed == checked.tokens && ends;
    co_return checked;
  }

  bool agrees(const Row& row, Token token) const {
    return row.token == token || std::exp(static_cast<double>(row.input_logprob)) >= job_.accept;
  }

  /// The first `agreed` tokens of the draft, then the model's own.
  awaitable<Result<void>> write(std::size_t agreed, model::AnswerWriter& writer) {
    const Result<bool> begun = co_await write_begun(agreed, writer);
    if (!begun) co_return std::unexpected(begun.error());
    bool more = *begun;
    const std::size_t prompt = job_.request.prompt.size();
    session_.truncate(static_cast<int>(prompt + agreed - 1));
    Token last = agreed == 0 ? job_.request.prompt.back() : job_.tokens[agreed - 1];
    while (more) {
      auto rows = co_await session_.decode(std::span(&last, 1), job_.request.want());
      if (!rows) co_return std::unexpected(std::move(rows.error()));
      last = rows->back().token;
      const Result<bool> written =
          co_await writer.write(std::move(rows->back()), model_.vocabulary(), model_.name());
      if (!written) co_return std::unexpected(written.error());
      more = *written;
    }
    co_return Result<void>{};
  }

  awaitable<Result<bool>> write_begun(std::size_t agreed, model::AnswerWriter& writer) {
    if (agreed == 0) co_return true;
    std::string text;
    for (std::size_t i = 0; i < agreed; ++i) text += model_.vocabulary().piece(job_.tokens[i]);
    const Answer& draft = job_.draft;
    // SentencePiece puts a blank before the first word.
    if (!draft.text.starts_with(text)) text.erase(0, 1);
    const auto tokens = tokens_before(draft, text.size());
    std::vector<AnswerToken> logprobs;
    if (job_.request.form.logprobs) {
      const auto some =
          std::min<std::size_t>(draft.tokens.size(), static_cast<std::size_t>(tokens));
      logprobs.assign(draft.tokens.begin(),
                      draft.tokens.begin() + static_cast<std::ptrdiff_t>(some));
    }
    co_return co_await writer.write_text(std::move(text), static_cast<int>(tokens),
                                         std::move(logprobs), main_author(draft));
  }

  model::LocalModel& model_;
  const Job job_;
  Turn& turn_;
  EndReader end_;
  Session session_;
};

DraftCheck::DraftCheck(const AnswererPtr& model)
    : model_(std::dynamic_pointer_cast<model::LocalModel>(model)) {
  if (model_ != nullptr) ends_ = ends_of(model_->vocabulary());
}

awaitable<Result<CheckedDraft>> DraftCheck::check(Request request, Answer draft, double accept,
                                                  bool go_on, Turn& turn) const {
  if (model_ == nullptr) {
    co_return fail(Errc::unsupported, "`by` offers no logits to check the draft by");
  }
  Result<model::PreparedRequest> prepared = co_await model_->prepare(std::move(request));
  if (!prepared) co_return std::unexpected(std::move(prepared).error());
  Result<std::vector<Token>> tokens = model_->vocabulary().tokenize(draft.text, false);
  if (!tokens) co_return std::unexpected(std::move(tokens).error());
  std::string text;
  for (const Token token : *tokens) text += model_->vocabulary().piece(token);
  if (tokens->empty() || (text != draft.text && text != " " + draft.text)) {
    co_return fail(Errc::unsupported, "the draft's text is not that of its tokens");
  }
  const std::int64_t size = std::ssize(prepared->prompt) + std::ssize(*tokens);
  if (size >= model_->context_length()) {
    co_return fail(Errc::context_overflow,
                   fmt::format("prompt and draft have {} tokens; the context of {} holds {}", size,
                               model_->name(), model_->context_length()));
  }
  Job job{.request = *std::move(prepared),
          .draft = std::move(draft),
          .tokens = *std::move(tokens),
          .accept = accept,
          .go_on = go_on};
  co_return co_await asio::co_spawn(model_->lane().executor(), on_lane(std::move(job), turn),
                                    asio::use_awaitable);
}

awaitable<Result<CheckedDraft>> DraftCheck::on_lane(Job job, Turn& turn) const {
  Checking checking(*model_, ends_, std::move(job), turn);
  co_return co_await checking.run();
}

}  // namespace lichen::mechanisms
