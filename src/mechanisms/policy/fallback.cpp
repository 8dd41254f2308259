#include "mechanisms/policy/fallback.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
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

/// What earlier alternatives have shown before they failed: the beginning of the answer.
class Beginning {
 public:
  bool empty() const { return shown_.text.empty(); }

  void add(FirstTokenWatch::Shown shown) {
    shown_.text += shown.text;
    std::ranges::move(shown.tokens, std::back_inserter(shown_.tokens));
    std::ranges::move(shown.authors, std::back_inserter(shown_.authors));
  }

  /// The request for what is missing.
  Request rest_of(Request request) const {
    request.begun += shown_.text;
    if (request.max_tokens) {
      request.max_tokens =
          static_cast<int>(std::max<std::int64_t>(*request.max_tokens - tokens(), 1));
    }
    return request;
  }

  Answer before(Answer rest) const {
    rest.text.insert(0, shown_.text);
    rest.tokens.insert(rest.tokens.begin(), shown_.tokens.begin(), shown_.tokens.end());
    rest.authors.insert(rest.authors.begin(), shown_.authors.begin(), shown_.authors.end());
    // It was part of the last one's prompt, but not of the user's.
    rest.prompt_tokens = std::max<std::int64_t>(rest.prompt_tokens - tokens(), 0);
    rest.cached_tokens = std::min(rest.cached_tokens, rest.prompt_tokens);
    rest.completion_tokens += tokens();
    return rest;
  }

 private:
  std::int64_t tokens() const {
    std::int64_t sum = 0;
    for (const Stretch& author : shown_.authors) sum += author.tokens;
    return sum;
  }

  FirstTokenWatch::Shown shown_;
};

class Fallback : public Answerer {
 public:
  Fallback(std::vector<Operand> alternatives, std::chrono::milliseconds timeout)
      : alternatives_(std::move(alternatives)), timeout_(timeout) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    std::vector<Failure> failures;
    Beginning beginning;
    for (std::size_t i = 0; i < alternatives_.size();) {
      const Operand& alternative = alternatives_[i];
      const bool last = next_after(i, request, !beginning.empty()) == kNone;
      FirstTokenWatch watch(turn);
      FirstTokenWatch::Outcome outcome =
          co_await watch.answer(alternative.answerer, beginning.rest_of(request),
                                last ? std::chrono::milliseconds(0) : timeout_);
      if (outcome.answer && beginning.empty()) co_return std::move(outcome.answer);
      if (outcome.answer) co_return beginning.before(*std::move(outcome.answer));

      Error error = std::move(outcome.answer).error();
      const bool shown = !outcome.shown.text.empty();
      beginning.add(std::move(outcome.shown));
      const bool refused_begun = !beginning.empty() && !shown;
      const bool stay =
          is_final(error, turn) || (error.code == Errc::bad_request && !refused_begun);
      i = stay ? kNone : next_after(i, request, !beginning.empty());
      turn.receipt.decisions.push_back(
          {.mechanism = "fallback",
           .choice = i == kNone ? "none" : alternatives_[i].name,
           .reason = describe(alternative.name, error) +
                     (shown ? " (after text of it had been sent)" : "")});
      if (stay) co_return std::unexpected(std::move(error));
      failures.push_back({.alternative = alternative.name, .error = std::move(error)});
      if (i == kNone) break;
    }
    co_return std::unexpected(all_failed(std::move(failures)));
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  /// The alternative after that one; with a beginning, the next that can go on with it.
  std::size_t next_after(std::size_t index, const Request& request, bool begun) const {
    for (std::size_t i = index + 1; i < alternatives_.size(); ++i) {
      if (!begun || (request.tools.empty() && goes_on(*alternatives_[i].answerer))) return i;
    }
    return kNone;
  }
  static bool goes_on(const Answerer& answerer) {
    const auto* model = dynamic_cast<const Model*>(&answerer);
    return model != nullptr && model->continues();
  }

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
