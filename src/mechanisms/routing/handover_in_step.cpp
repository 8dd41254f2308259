#include "mechanisms/routing/handover_in_step.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

#include "mechanisms/routing/co_writer.h"
#include "model/answer_writer.h"

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

/// One answer. On the lane.
class Writing {
 public:
  Writing(LocalModel& small, LocalModel& large, const HandoverOptions& options, const Job& job,
          Turn& turn)
      : options_(options),
        turn_(turn),
        vocabulary_(large.vocabulary()),
        small_(small, job.small_prompt, answer_, turn),
        large_(large, job.large.prompt, answer_, turn),
        writer_(job.large.form, large.chat(), turn),
        gate_(*options.criterion, options.threshold, job.large.sampler.get()),
        gated_(job.large.want()),
        free_(job.large.want()) {
    gated_.sampler = &gate_;
  }

  awaitable<Result<Answer>> answer() {
    const Result<void> written = co_await write();
    const std::int64_t tokens = writer_.tokens();
    const std::int64_t by_large = writer_.tokens_of(large_.name());
    Result<Answer> answer =
        written ? co_await writer_.finish() : Result<Answer>(std::unexpected(written.error()));
    if (auto step = small_.step(tokens - by_large)) turn_.receipt.steps.push_back(*step);
    if (auto step = large_.step(by_large)) turn_.receipt.steps.push_back(*step);
    turn_.receipt.decisions.push_back(handover_decision(options_, gate_, by_large, tokens));
    if (!answer) co_return answer;
    answer->prompt_tokens = small_.prompt_tokens();
    answer->cached_tokens = small_.cached_tokens();
    if (answer->authors.empty()) answer->authors = {{.model = small_.name()}};
    co_return answer;
  }

 private:
  awaitable<Result<void>> write() {
    for (;;) {
      Result<Row> row = co_await small_.next(gated_);
      if (!row) co_return std::unexpected(std::move(row.error()));
      const Result<bool> more =
          gate_.critical() ? co_await take_over(row->token) : co_await add(*std::move(row), small_);
      if (!more) co_return std::unexpected(more.error());
      if (!*more) co_return Result<void>{};
    }
  }

  /// Large's stretch, at whose first token `likeliest` was small's choice. False: the answer is
  /// complete.
  awaitable<Result<bool>> take_over(Token likeliest) {
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
      Result<Row> small = co_await small_.next(Want{});
      if (!small) co_return std::unexpected(std::move(small.error()));
      likeliest = small->token;
    }
  }

  awaitable<Result<bool>> add(Row row, const CoWriter& author) {
    answer_.add(row.token, &author);
    return writer_.write(std::move(row), vocabulary_, author.name());
  }

  const HandoverOptions& options_;
  Turn& turn_;
  const model::Vocabulary& vocabulary_;
  SharedAnswer answer_;
  CoWriter small_;
  CoWriter large_;
  model::AnswerWriter writer_;
  CriticalGate gate_;
  Want gated_;  // for small's next token
  Want free_;   // for large's
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
    Writing writing(*small_, *large_, options_, job, turn);
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
