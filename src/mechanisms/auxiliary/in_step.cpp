#include "mechanisms/auxiliary/in_step.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "model/answer_writer.h"
#include "model/rows.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;
using model::LocalModel;
using model::PreparedRequest;
using Models = std::vector<std::shared_ptr<LocalModel>>;

/// One answer. On the lane.
class Writing {
 public:
  Writing(const std::string& mechanism, const Models& models, const RowRule& rule,
          std::vector<PreparedRequest> jobs, Turn& turn)
      : mechanism_(mechanism),
        models_(models),
        rule_(rule),
        jobs_(std::move(jobs)),
        turn_(turn),
        writer_(jobs_.front().form, models.front()->chat(), turn) {
    for (const auto& model : models_) sessions_.push_back(model->open_session(turn));
  }

  awaitable<Result<Answer>> answer() {
    const Result<void> written = co_await write();
    const std::int64_t tokens = writer_.tokens();
    Result<Answer> answer = std::unexpected(written ? Error{} : written.error());
    if (written) answer = co_await writer_.finish();
    for (std::size_t i = models_.size(); i-- > 0;) {  // who answers comes last
      const auto read = static_cast<std::int64_t>(jobs_[i].prompt.size());
      turn_.receipt.steps.push_back(
          i == 0 ? models_[i]->step_of(sessions_[i], "answer", read, tokens)
                 : models_[i]->step_of(sessions_[i], mechanism_, read + tokens, 0));
    }
    if (!answer) co_return answer;
    answer->prompt_tokens = static_cast<std::int64_t>(jobs_.front().prompt.size());
    answer->cached_tokens = sessions_.front().stats().tokens_cached;
    if (answer->authors.empty()) answer->authors = {{.model = models_.front()->name()}};
    co_return answer;
  }

 private:
  awaitable<Result<void>> write() {
    Token token = -1;
    for (;;) {
      std::vector<std::vector<float>> rows;
      for (std::size_t i = 0; i < models_.size(); ++i) {
        const Want want{.logits = true};
        const std::span<const Token> next =
            token < 0 ? std::span<const Token>(jobs_[i].prompt) : std::span(&token, 1);
        Result<std::vector<Row>> read = co_await sessions_[i].decode(next, want);
        if (!read) co_return std::unexpected(std::move(read.error()));
        rows.push_back(std::move(read->back().logits));
      }
      Result<Row> row = choose(rows);
      if (!row) co_return std::unexpected(std::move(row.error()));
      token = row->token;
      const LocalModel& author = *models_.front();
      const Result<bool> more =
          co_await writer_.write(*std::move(row), author.vocabulary(), author.name());
      if (!more) co_return std::unexpected(more.error());
      if (!*more) co_return Result<void>{};
    }
  }

  Result<Row> choose(const std::vector<std::vector<float>>& rows) {
    const std::vector<std::span<const float>> views(rows.begin(), rows.end());
    rule_(views, row_);
    const PreparedRequest& job = jobs_.front();
    Row row;
    if (job.sampler != nullptr) {
      Result<Token> sampled = job.sampler->sample(row_);
      if (!sampled) return std::unexpected(std::move(sampled.error()));
      row.token = *sampled;
    } else {
      row.token = model::argmax(row_);
    }
    const double norm = model::log_sum_exp(row_);
    row.logprob =
        static_cast<float>(static_cast<double>(row_[static_cast<std::size_t>(row.token)]) - norm);
    if (job.form.top_logprobs > 0) row.top = model::top_k(row_, job.form.top_logprobs, norm);
    return row;
  }

  const std::string& mechanism_;
  const Models& models_;
  const RowRule& rule_;
  const std::vector<PreparedRequest> jobs_;
  Turn& turn_;
  std::vector<Session> sessions_;
  model::AnswerWriter writer_;
  std::vector<float> row_;
};

class InStep : public Answerer {
 public:
  InStep(std::string mechanism, Models models, RowRule rule)
      : mechanism_(std::move(mechanism)), models_(std::move(models)), rule_(std::move(rule)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    std::vector<PreparedRequest> jobs;
    for (const auto& model : models_) {
      Result<PreparedRequest> job = co_await model->prepare(request);
      if (!job) co_return std::unexpected(std::move(job.error()));
      jobs.push_back(*std::move(job));
    }
    std::int64_t& most = jobs.front().form.max_tokens;
    for (const PreparedRequest& job : jobs) most = std::min(most, job.form.max_tokens);
    co_return co_await asio::co_spawn(models_.front()->lane().executor(),
                                      on_lane(std::move(jobs), turn), asio::use_awaitable);
  }

 private:
  awaitable<Result<Answer>> on_lane(std::vector<PreparedRequest> jobs, Turn& turn) {
    Writing writing(mechanism_, models_, rule_, std::move(jobs), turn);
    co_return co_await writing.answer();
  }

  const std::string mechanism_;
  const Models models_;
  const RowRule rule_;
};

}  // namespace

Result<std::optional<Models>> read_models_in_step(Options& options, std::string_view mechanism,
                                                  std::span<const std::string_view> keys) {
  Models models;
  bool loaded = true;
  for (const std::string_view key : keys) {
    Result<AnswererPtr> operand = options.operand(key);
    if (!operand) return std::unexpected(operand.error());
    const auto model = std::dynamic_pointer_cast<Model>(*operand);
    if (model == nullptr || !model->local()) {
      return std::unexpected(options.error(
          key, fmt::format("`{}` needs the logits of `{}`, so it must be a local model", mechanism,
                           key)));
    }
    auto local = std::dynamic_pointer_cast<LocalModel>(model);
    loaded = loaded && local != nullptr;
    models.push_back(std::move(local));
  }
  if (!loaded) return std::nullopt;
  LocalModel& first = *models.front();
  for (std::size_t i = 1; i < models.size(); ++i) {
    LocalModel& other = *models[i];
    if (&other.lane() != &first.lane()) {
      return std::unexpected(options.error(
          keys[i], fmt::format("`{}` and `{}` compute on different devices, and `{}` takes them in "
                               "step",
                               other.name(), first.name(), mechanism)));
    }
    if (!same_tokens(other.vocabulary(), first.vocabulary())) {
      return std::unexpected(options.error(
          keys[i],
          fmt::format(
              "`{}` has another vocabulary than `{}`, and `{}` adds up logits token by token",
              other.name(), first.name(), mechanism)));
    }
  }
  return models;
}

AnswererPtr make_in_step(std::string mechanism, Models models, RowRule rule) {
  return std::make_shared<InStep>(std::move(mechanism), std::move(models), std::move(rule));
}

}  // namespace lichen::mechanisms
