#include "mechanisms/policy/fallback.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include "mechanisms/hand_over.h"
#include "mechanisms/policy/first_token_watch.h"

namespace lichen::mechanisms {
namespace {

struct Failure {
  std::string alternative;
  Error error;
};

std::string describe(const std::string& alternative, const Error& error) {
  return fmt::format("{}: {}: {}", alternative, to_string(error.code), error.detail);
}

/// The request is beyond this one alternative, which says nothing about another day of the others.
bool limit_of_one(Errc code) {
  return code == Errc::context_overflow || code == Errc::unsupported || code == Errc::too_large;
}

/// The last failure's code, unless that is a limit of the last alternative only: if another failed
/// for a passing reason, the client may well try again.
Error all_failed(std::vector<Failure> failures) {
  if (failures.size() == 1) return std::move(failures.front().error);
  Error result{.code = failures.back().error.code,
               .detail = fmt::format("all {} alternatives failed", failures.size())};
  for (const Failure& failure : failures) {
    const Error& error = failure.error;
    if (limit_of_one(result.code) && !limit_of_one(error.code)) result.code = error.code;
    if (error.retry_after_s) {
      result.retry_after_s =
          std::min(*error.retry_after_s, result.retry_after_s.value_or(*error.retry_after_s));
    }
    result.detail += (&failure == &failures.front() ? ": " : "; ");
    result.detail += describe(failure.alternative, error);
  }
  return result;
}

class Fallback : public Answerer {
 public:
  Fallback(std::vector<Operand> alternatives, std::chrono::milliseconds timeout)
      : alternatives_(std::move(alternatives)), timeout_(timeout) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    std::vector<Failure> failures;
    for (std::size_t i = 0; i < alternatives_.size(); ++i) {
      const Operand& alternative = alternatives_[i];
      const bool last = i + 1 == alternatives_.size();
      FirstTokenWatch watch(turn);
      FirstTokenWatch::Outcome outcome = co_await watch.answer(
          alternative.answerer, request, last ? std::chrono::milliseconds(0) : timeout_);
      if (outcome.answer) co_return std::move(outcome.answer);

      const Error& error = outcome.answer.error();
      const bool stay = outcome.shown || error.code == Errc::bad_request || is_final(error, turn);
      turn.receipt.decisions.push_back(
          {.mechanism = "fallback",
           .choice = stay || last ? "none" : alternatives_[i + 1].name,
           .reason = describe(alternative.name, error) +
                     (outcome.shown ? " (after text of it had been sent)" : "")});
      if (stay) co_return std::move(outcome.answer);
      failures.push_back({.alternative = alternative.name, .error = error});
    }
    co_return std::unexpected(all_failed(std::move(failures)));
  }

 private:
  const std::vector<Operand> alternatives_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace

Result<AnswererPtr> build_fallback(Options& options) {
  Result<double> timeout = options.number("timeout_ms", 0, 0, 3'600'000);
  if (!timeout) return std::unexpected(timeout.error());
  Result<std::vector<Operand>> of = options.operands("of");
  if (!of) return std::unexpected(of.error());
  return std::make_shared<Fallback>(*std::move(of),
                                    std::chrono::milliseconds(static_cast<std::int64_t>(*timeout)));
}

AnswererPtr make_fallback(std::vector<Operand> of) {
  return std::make_shared<Fallback>(std::move(of), std::chrono::milliseconds(0));
}

}  // namespace lichen::mechanisms
