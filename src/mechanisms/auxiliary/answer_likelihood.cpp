#include "mechanisms/auxiliary/answer_likelihood.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "mechanisms/auxiliary/end_reader.h"
#include "mechanisms/side_by_side.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

}  // namespace

/// Tokens to read: the prompt, and for each answer its own.
struct AnswerLikelihood::Job {
  struct Text {
    std::vector<Token> tokens = {};  // the prompt's last, then the answer's; empty: not to be read
    bool ended = true;               // not cut off
  };
  std::vector<Token> prompt;  // without its last
  std::vector<Text> texts = {};

  std::int64_t tokens() const {
    auto count = static_cast<std::int64_t>(prompt.size());
    for (const Text& text : texts) count += std::ssize(text.tokens);
    return count;
  }
};

AnswerLikelihood::AnswerLikelihood(const AnswererPtr& model)
    : model_(std::dynamic_pointer_cast<model::LocalModel>(model)) {
  if (model_ == nullptr) return;
  ends_ = ends_of(model_->vocabulary());
}

awaitable<Result<std::vector<double>>> AnswerLikelihood::of(const Request& request,
                                                            std::vector<const Answer*> answers,
                                                            Turn& turn) const {
  if (model_ == nullptr) {
    co_return fail(Errc::unsupported,
                   "the verifier offers no logits to read log-probabilities off");
  }
  Request asked = request;
  asked.format = {};  // how likely the answer is as it stands
  asked.max_tokens.reset();
  asked.sampling = {};
  Result<model::PreparedRequest> prepared = co_await model_->prepare(std::move(asked));
  if (!prepared) co_return std::unexpected(std::move(prepared).error());
  Job job{.prompt = std::move(prepared->prompt)};
  const Token last = job.prompt.back();
  job.prompt.pop_back();
  for (const Answer* answer : answers) {
    Job::Text text{.ended = !ended_early(answer->finish)};
    if (answer->tool_calls.empty()) {
      Result<std::vector<Token>> tokens = model_->vocabulary().tokenize(answer->text, false);
      if (!tokens) co_return std::unexpected(std::move(tokens).error());
      text.tokens = *std::move(tokens);
      text.tokens.insert(text.tokens.begin(), last);
    }
    job.texts.push_back(std::move(text));
  }
  co_return co_await asio::co_spawn(model_->lane().executor(), on_lane(std::move(job), turn),
                                    asio::use_awaitable);
}

awaitable<Result<std::vector<double>>> AnswerLikelihood::on_lane(Job job, Turn& turn) const {
  const auto begun = Clock::now();
  Session prompt = model_->open_session(turn);
  std::optional<Error> error;
  if (!job.prompt.empty()) {
    const Want nothing{.rows = Want::Rows::none};
    const auto rows = co_await prompt.decode(job.prompt, nothing);
    if (!rows) error = rows.error();
  }
  std::vector<Session> sessions;
  std::vector<Result<double>> logprobs(job.texts.size(), kImpossible);
  std::vector<awaitable<void>> work;
  sessions.reserve(job.texts.size());
  for (std::size_t i = 0; i < job.texts.size() && !error; ++i) {
    if (job.texts[i].tokens.empty()) continue;
    sessions.push_back(job.prompt.empty() ? model_->open_session(turn) : prompt.fork());
    work.push_back(read_one(job, i, sessions.back(), logprobs[i]));
  }
  co_await side_by_side(std::move(work));

  // Sessions side by side share passes, so their times are not added up.
  Step step = model_->step_of(prompt, "verify", job.tokens(), 0);
  for (const Session& session : sessions) {
    step.queued_ms = std::max(step.queued_ms, session.stats().queued_ms);
    if (const auto joules = session.stats().joules) step.joules = step.joules.value_or(0) + *joules;
  }
  const std::chrono::duration<double, std::milli> took = Clock::now() - begun;
  step.prefill_ms = std::max(0.0, took.count() - step.queued_ms);
  step.decode_ms = 0;
  turn.receipt.steps.push_back(std::move(step));

  std::vector<double> result;
  for (const Result<double>& logprob : logprobs) {
    if (logprob) {
      result.push_back(*logprob);
    } else if (logprob.error().code == Errc::context_overflow) {
      result.push_back(kImpossible);
    } else if (!error) {
      error = logprob.error();
    }
  }
  if (error) co_return std::unexpected(*std::move(error));
  co_return result;
}

awaitable<void> AnswerLikelihood::read_one(const Job& job, std::size_t index, Session& session,
                                           Result<double>& logprob) const {
  const Job::Text& text = job.texts[index];
  EndReader end(ends_);
  const Want want{.rows = Want::Rows::all, .sampler = &end, .input_logprobs = true};
  const auto rows = co_await session.decode(text.tokens, want);
  if (!rows) {
    logprob = std::unexpected(rows.error());
    co_return;
  }
  double sum = text.ended ? end.logprob() : 0;
  for (const Row& row : *rows) sum += row.input_logprob;  // 0 for the last
  logprob = sum;
}

}  // namespace lichen::mechanisms
