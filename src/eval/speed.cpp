#include "eval/speed.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace lichen::eval {
namespace {

namespace asio = boost::asio;

/// What a group's answers took together.
struct Timed {
  double tokens = 0;      // after each answer's first
  double writing_ms = 0;  // likewise
  double all_tokens = 0;
  double turn_ms = 0;
  std::int64_t drafted = 0;
  std::int64_t accepted = 0;
  std::vector<std::string> texts = {};
};

class Comparison {
 public:
  Comparison(Runtime& runtime, const asio::any_io_executor& io, const Suite& suite,
             const SpeedOptions& options)
      : runtime_(runtime), io_(io), suite_(suite), options_(options) {}

  Result<SpeedCell> compare(const std::string& plan, int requests, double temperature,
                            const std::function<void()>& done);

 private:
  Result<Timed> ask(const std::string& plan, std::size_t from, std::size_t count,
                    double temperature);

  Runtime& runtime_;
  const asio::any_io_executor& io_;
  const Suite& suite_;
  const SpeedOptions& options_;
};

Result<Timed> Comparison::ask(const std::string& plan, std::size_t from, std::size_t count,
                              double temperature) {
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Result<Answer>>> answers;
  std::vector<std::unique_ptr<std::stop_callback<std::function<void()>>>> cancels;
  for (std::size_t i = from; i < from + count; ++i) {
    Turn& turn = *turns.emplace_back(std::make_unique<Turn>(plan));
    turn.fresh = true;
    cancels.push_back(std::make_unique<std::stop_callback<std::function<void()>>>(
        options_.stop, [&turn] { turn.cancel(); }));
    Request request{.messages = {{.role = "user", .content = suite_.tasks[i].prompt}},
                    .max_tokens = options_.max_tokens};
    request.sampling.temperature = static_cast<float>(temperature);
    request.sampling.seed = static_cast<std::int64_t>(i);
    answers.push_back(
        asio::co_spawn(io_, runtime_.answer(std::move(request), turn), asio::use_future));
  }
  Timed timed;
  std::optional<Error> error;
  for (std::size_t i = 0; i < count; ++i) {
    Result<Answer> answer = answers[i].get();
    if (!answer) {
      error = answer.error();
      continue;
    }
    const Receipt& receipt = turns[i]->receipt;
    const auto tokens = static_cast<double>(answer->completion_tokens);
    if (tokens > 1) {
      timed.tokens += tokens - 1;
      timed.writing_ms += receipt.total_ms - receipt.first_token_ms.value_or(receipt.total_ms);
    }
    timed.all_tokens += tokens;
    timed.turn_ms += receipt.total_ms;
    timed.drafted += answer->drafted_tokens;
    timed.accepted += answer->accepted_tokens;
    timed.texts.push_back(std::move(answer->text));
  }
  if (error) return std::unexpected(*std::move(error));
  return timed;
}

Timed sum(const std::vector<Timed>& groups) {
  Timed all;
  for (const Timed& group : groups) {
    all.tokens += group.tokens;
    all.writing_ms += group.writing_ms;
    all.all_tokens += group.all_tokens;
    all.turn_ms += group.turn_ms;
    all.drafted += group.drafted;
    all.accepted += group.accepted;
  }
  return all;
}

double per(double amount, double whole) { return whole > 0 ? amount / whole : 0; }

Result<SpeedCell> Comparison::compare(const std::string& plan, int requests, double temperature,
                                      const std::function<void()>& done) {
  std::vector<Timed> plain;
  std::vector<Timed> other;
  const auto width = static_cast<std::size_t>(requests);
  const auto warm = ask(plan, 0, std::min(width, suite_.tasks.size()), temperature);
  if (!warm) return std::unexpected(warm.error());
  for (std::size_t from = 0; from < suite_.tasks.size(); from += width) {
    const std::size_t count = std::min(width, suite_.tasks.size() - from);
    const bool plain_first = from / width % 2 == 0;
    for (const bool is_plain : {plain_first, !plain_first}) {
      Result<Timed> timed = ask(is_plain ? options_.plain : plan, from, count, temperature);
      if (!timed) return std::unexpected(std::move(timed.error()));
      (is_plain ? plain : other).push_back(*std::move(timed));
    }
    done();
  }
  const Timed base = sum(plain);
  const Timed own = sum(other);
  SpeedCell cell{
      .plan = plan,
      .requests = requests,
      .temperature = temperature,
      .ratio = per(per(own.tokens, own.writing_ms), per(base.tokens, base.writing_ms)),
      .turn_ratio = per(per(own.all_tokens, own.turn_ms), per(base.all_tokens, base.turn_ms)),
      .tokens_per_second = 1'000 * per(own.tokens, own.writing_ms),
      .turn_tokens_per_second = 1'000 * per(own.all_tokens, own.turn_ms),
      .tokens = static_cast<std::int64_t>(own.all_tokens),
      .drafted = own.drafted,
      .accepted = own.accepted};
  for (std::size_t i = 0; i < other.size(); ++i) {
    for (std::size_t j = 0; j < other[i].texts.size(); ++j) {
      cell.same += other[i].texts[j] == plain[i].texts[j];
      cell.texts.push_back(std::move(other[i].texts[j]));
      ++cell.answers;
    }
  }
  return cell;
}

}  // namespace

std::optional<double> SpeedCell::accepted_share() const {
  if (drafted == 0) return std::nullopt;
  return static_cast<double>(accepted) / static_cast<double>(drafted);
}

Result<std::vector<SpeedCell>> compare_speed(Runtime& runtime, const asio::any_io_executor& io,
                                             const Suite& suite, const SpeedOptions& options) {
  std::size_t total = 0;
  for (const int requests : options.requests) {
    total += (suite.tasks.size() + static_cast<std::size_t>(requests) - 1) /
             static_cast<std::size_t>(requests);
  }
  total *= options.plans.size() * options.temperatures.size();
  std::size_t finished = 0;
  Comparison comparison(runtime, io, suite, options);
  std::vector<SpeedCell> cells;
  for (const std::string& plan : options.plans) {
    for (const double temperature : options.temperatures) {
      for (const int requests : options.requests) {
        Result<SpeedCell> cell = comparison.compare(plan, requests, temperature, [&] {
          ++finished;
          if (options.progress) options.progress(plan, finished, total);
        });
        if (!cell) return std::unexpected(std::move(cell.error()));
        cells.push_back(*std::move(cell));
      }
    }
  }
  return cells;
}

}  // namespace lichen::eval
