#include "mechanisms/in_step.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "mechanisms/co_writer.h"
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
  Writing(const InStepOptions& options, std::vector<PreparedRequest> jobs, Turn& turn)
      : options_(options),
        jobs_(std::move(jobs)),
        turn_(turn),
        writer_(jobs_.front().form, first().chat(), turn) {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      readers_.push_back(
          std::make_unique<CoWriter>(*options.models[i], jobs_[i].prompt, tokens_, turn));
    }
  }

  awaitable<Result<Answer>> answer() {
    const Result<void> written = co_await write();
    const std::int64_t tokens = writer_.tokens();
    Result<Answer> answer = std::unexpected(written ? Error{} : written.error());
    if (written) answer = co_await writer_.finish();
    for (std::size_t i = readers_.size(); i-- > 1;) {
      const auto step = readers_[i]->step(options_.voices ? asked_ : 0, options_.mechanism);
      if (step) turn_.receipt.steps.push_back(*step);
    }
    // Who answers comes last.
    if (const auto step = readers_[0]->step(tokens)) turn_.receipt.steps.push_back(*step);
    if (options_.voices) {
      turn_.receipt.decisions.push_back(
          asked_decision(options_.mechanism, first().name(), options_.gate, asked_, rows_));
    }
    if (!answer) co_return answer;
    answer->prompt_tokens = readers_[0]->prompt_tokens();
    answer->cached_tokens = readers_[0]->cached_tokens();
    if (answer->authors.empty()) answer->authors = {{.model = first().name()}};
    co_return answer;
  }

 private:
  LocalModel& first() const { return *options_.models.front(); }

  awaitable<Result<void>> write() {
    for (;;) {
      Result<std::vector<std::vector<float>>> rows = co_await read();
      if (!rows) co_return std::unexpected(std::move(rows.error()));
      Result<Row> row = choose(*rows);
      if (!row) co_return std::unexpected(std::move(row.error()));
      tokens_.add(row->token, readers_[0].get());
      const Result<bool> more =
          co_await writer_.write(*std::move(row), first().vocabulary(), first().name());
      if (!more) co_return std::unexpected(more.error());
      if (!*more) co_return Result<void>{};
    }
  }

  /// The rows behind the last token: the first model's, and the others' where they are asked.
  awaitable<Result<std::vector<std::vector<float>>>> read() {
    std::vector<std::vector<float>> rows;
    for (const auto& reader : readers_) {
      const bool gated = rows.empty() && options_.gate;
      const Want want{.entropy = gated, .logits = true};
      Result<Row> row = co_await reader->next(want);
      if (!row) co_return std::unexpected(std::move(row.error()));
      rows.push_back(std::move(row->logits));
      if (gated && row->entropy <= *options_.gate) break;
    }
    ++rows_;
    asked_ += rows.size() > 1;
    co_return rows;
  }

  Result<Row> choose(const std::vector<std::vector<float>>& rows) {
    const std::vector<std::span<const float>> views(rows.begin(), rows.end());
    if (Result<void> made = options_.rule(views, row_); !made) {
      return std::unexpected(std::move(made.error()));
    }
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

  const InStepOptions& options_;
  const std::vector<PreparedRequest> jobs_;
  Turn& turn_;
  SharedAnswer tokens_;
  std::vector<std::unique_ptr<CoWriter>> readers_;  // of each model
  model::AnswerWriter writer_;
  std::vector<float> row_;
  std::int64_t rows_ = 0;
  std::int64_t asked_ = 0;  // rows of which the others had a say
};

class InStep : public Answerer {
 public:
  explicit InStep(InStepOptions options) : options_(std::move(options)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    std::vector<PreparedRequest> jobs;
    for (const auto& model : options_.models) {
      Result<PreparedRequest> job = co_await model->prepare(request);
      if (!job) co_return std::unexpected(std::move(job.error()));
      jobs.push_back(*std::move(job));
    }
    std::int64_t& most = jobs.front().form.max_tokens;
    for (const PreparedRequest& job : jobs) most = std::min(most, job.form.max_tokens);
    co_return co_await asio::co_spawn(options_.models.front()->lane().executor(),
                                      on_lane(std::move(jobs), turn), asio::use_awaitable);
  }

 private:
  awaitable<Result<Answer>> on_lane(std::vector<PreparedRequest> jobs, Turn& turn) {
    Writing writing(options_, std::move(jobs), turn);
    co_return co_await writing.answer();
  }

  const InStepOptions options_;
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

AnswererPtr make_in_step(InStepOptions options) {
  return std::make_shared<InStep>(std::move(options));
}

Decision asked_decision(const std::string& mechanism, const std::string& first,
                        std::optional<double> gate, std::int64_t asked, std::int64_t tokens) {
  std::string reason = fmt::format("the others were asked for {} of {} tokens", asked, tokens);
  if (gate) reason += fmt::format(", where the entropy of `{}` was over {:g}", first, *gate);
  return {.mechanism = mechanism, .choice = asked > 0 ? "blended" : first, .reason = reason};
}

}  // namespace lichen::mechanisms
