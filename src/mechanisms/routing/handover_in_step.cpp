#include "mechanisms/routing/handover_in_step.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

#include "mechanisms/routing/handover_writing.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;
using model::LocalModel;
using model::PreparedRequest;

/// Both models' requests as one: large's way to choose, what stops either.
struct Job {
  std::vector<Token> small_prompt;
  PreparedRequest large;
};

Job joined(PreparedRequest small, PreparedRequest large) {
  model::AnswerForm& form = large.form;
  form.max_tokens = std::min(form.max_tokens, small.form.max_tokens);
  std::ranges::copy(small.form.chat.stops, std::back_inserter(form.stops));
  return {.small_prompt = std::move(small.prompt), .large = std::move(large)};
}

class WritingInStep : public HandoverWriting {
 public:
  WritingInStep(LocalModel& small, LocalModel& large, const HandoverOptions& options,
                const Job& job, Turn& turn)
      : HandoverWriting(options,
                        {.small = small,
                         .prompt = job.small_prompt,
                         .large = large.name(),
                         .job = job.large,
                         .of = large},
                        turn),
        large_(large, job.large.prompt, tokens_, turn),
        free_(job.large.want()) {}

 private:
  awaitable<Result<bool>> take_over(Token likeliest) override {
    std::int64_t agreed = 0;
    for (std::int64_t written = 1;; ++written) {
      Result<Row> row = co_await large_.next(free_);
      if (!row) co_return std::unexpected(std::move(row.error()));
      agreed = row->token == likeliest ? agreed + 1 : 0;
      const Result<bool> more = co_await add(*std::move(row), large_);
      if (!more || !*more) co_return more;
      if (written >= options_.span && agreed >= options_.back) co_return true;
      likeliest = -1;
      if (written + options_.back < options_.span || options_.back == 0) continue;
      const Want argmax;
      Result<Row> small = co_await small_.next(argmax);
      if (!small) co_return std::unexpected(std::move(small.error()));
      likeliest = small->token;
    }
  }

  std::optional<Step> step_of_large(std::int64_t tokens_out) const override {
    return large_.step(tokens_out);
  }

  CoWriter large_;
  const Want free_;  // for large's next token
};

class HandoverInStep : public Answerer {
 public:
  HandoverInStep(std::shared_ptr<LocalModel> small, std::shared_ptr<LocalModel> large,
                 const HandoverOptions& options)
      : small_(std::move(small)), large_(std::move(large)), options_(options) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    Result<PreparedRequest> small = co_await small_->prepare(request);
    if (!small) co_return std::unexpected(std::move(small.error()));
    Result<PreparedRequest> large = co_await large_->prepare(std::move(request));
    if (!large) co_return std::unexpected(std::move(large.error()));
    co_return co_await asio::co_spawn(large_->lane().executor(),
                                      on_lane(joined(*std::move(small), *std::move(large)), turn),
                                      asio::use_awaitable);
  }

 private:
  awaitable<Result<Answer>> on_lane(Job job, Turn& turn) {
    WritingInStep writing(*small_, *large_, options_, job, turn);
    co_return co_await writing.answer();
  }

  const std::shared_ptr<LocalModel> small_;
  const std::shared_ptr<LocalModel> large_;
  const HandoverOptions options_;
};

}  // namespace

AnswererPtr make_handover_in_step(std::shared_ptr<LocalModel> small,
                                  std::shared_ptr<LocalModel> large,
                                  const HandoverOptions& options) {
  return std::make_shared<HandoverInStep>(std::move(small), std::move(large), options);
}

}  // namespace lichen::mechanisms
