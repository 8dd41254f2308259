#include "mechanisms/routing/asked_confidence.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <exception>
#include <limits>
#include <utility>
#include <vector>

#include "mechanisms/hand_over.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/routing/text_features.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

/// What an answer says, be it words or calls of tools; their ids differ each time.
std::string said(const Answer& answer) {
  std::string said = answer.text;
  for (const boost::json::value& call : answer.tool_calls) {
    const auto* object = call.if_object();
    const auto* function = object != nullptr ? object->if_contains("function") : nullptr;
    said += boost::json::serialize(function != nullptr ? *function : call);
  }
  return said;
}

struct Sample {
  std::unique_ptr<Turn> turn;
  Result<Answer> answer = fail(Errc::internal, "not asked");
};

awaitable<void> draw(AnswererPtr small, Request request, Sample& sample) {
  sample.answer = co_await small->answer(std::move(request), *sample.turn);
}

class Agreement : public Confidence {
 public:
  Agreement(AnswererPtr small, int samples, double temperature)
      : small_(std::move(small)),
        samples_(samples),
        temperature_(static_cast<float>(temperature)),
        words_(fmt::format("agreement of {} samples", samples)) {}

  const std::string& words() const override { return words_; }

  awaitable<Result<double>> of(const Request& request, const Answer& answer,
                               Turn& turn) const override {
    std::vector<Sample> samples(static_cast<std::size_t>(samples_));
    co_await draw_all(request, samples, turn);
    const std::string wanted = normalized(said(answer));
    for (const Sample& sample : samples) absorb_as(turn, *sample.turn, "sample");
    double agree = 0;
    for (const Sample& sample : samples) {
      if (!sample.answer) co_return std::unexpected(sample.answer.error());
      agree += normalized(said(*sample.answer)) == wanted ? 1 : 0;
    }
    co_return agree / samples_;
  }

 private:
  /// All at once: the lane decodes them in one batch, and their prompt is computed once.
  awaitable<void> draw_all(const Request& request, std::vector<Sample>& samples, Turn& turn) const {
    const auto executor = co_await asio::this_coro::executor;
    const auto spawn = [&](Request sampled, Sample& sample) {
      return asio::co_spawn(executor, draw(small_, std::move(sampled), sample), asio::deferred);
    };
    std::vector<decltype(spawn(request, samples.front()))> draws;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      samples[i].turn = turn.child();
      Request sampled = request;
      sampled.logprobs = false;
      sampled.top_logprobs = 0;
      sampled.sampling.temperature = temperature_;
      // Seeds of their own, the same ones each time: a request gets the same answer again.
      sampled.sampling.seed = request.sampling.seed.value_or(0) + static_cast<std::int64_t>(i) + 1;
      draws.push_back(spawn(std::move(sampled), samples[i]));
    }
    const auto [order, thrown] =
        co_await asio::experimental::make_parallel_group(std::move(draws))
            .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const std::exception_ptr& exception : thrown) {
      if (exception) std::rethrow_exception(exception);
    }
  }

  const AnswererPtr small_;
  const int samples_;
  const float temperature_;
  const std::string words_;
};

class Verification : public Confidence {
 public:
  Verification(AnswererPtr verifier, std::string words)
      : verifier_(std::move(verifier)), words_(std::move(words)) {}

  const std::string& words() const override { return words_; }

  awaitable<Result<double>> of(const Request& request, const Answer& answer,
                               Turn& turn) const override {
    const std::string answered = said(answer);
    Result<std::string> prompt =
        render("judge", {{"question", question(request)}, {"answer", answered}});
    if (!prompt) co_return std::unexpected(std::move(prompt).error());
    constexpr int kTokens = 4;  // blanks may come first
    constexpr int kAlternatives = 5;
    Request asked;
    asked.messages.push_back({.role = "user", .content = *std::move(prompt)});
    asked.sampling.temperature = 0.0F;
    asked.max_tokens = kTokens;
    asked.logprobs = true;
    asked.top_logprobs = kAlternatives;
    const std::unique_ptr<Turn> child = turn.child();
    const Result<Answer> verdict = co_await verifier_->answer(std::move(asked), *child);
    absorb_as(turn, *child, "verify");
    if (!verdict) co_return std::unexpected(verdict.error());
    if (verdict->tokens.empty()) {
      co_return fail(Errc::unsupported, "the verdict came without log-probabilities");
    }
    co_return share_of_yes(verdict->tokens);
  }

 private:
  const AnswererPtr verifier_;
  const std::string words_;
};

/// Lower-case, without blanks around it. ASCII is all that yes and no are made of.
std::string bare(std::string_view token) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = token.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  std::string word(token.substr(begin, token.find_last_not_of(kBlanks) + 1 - begin));
  std::ranges::transform(word, word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return word;
}

}  // namespace

double share_of_yes(std::span<const AnswerToken> verdict) {
  const auto token = std::ranges::find_if(
      verdict, [](const AnswerToken& token) { return !bare(token.text).empty(); });
  double yes = 0, no = 0;
  const auto add = [&](std::string_view text, float logprob) {
    const std::string word = bare(text);
    if (word.empty()) return;
    if (std::string_view("yes").starts_with(word)) yes += std::exp(static_cast<double>(logprob));
    if (std::string_view("no").starts_with(word)) no += std::exp(static_cast<double>(logprob));
  };
  if (token != verdict.end()) {
    for (const TokenLogprob& other : token->top) add(other.text, other.logprob);
    // Endpoints may leave the token itself out of its alternatives.
    if (std::ranges::find(token->top, token->text, &TokenLogprob::text) == token->top.end()) {
      add(token->text, token->logprob);
    }
  }
  if (!(yes + no > 0)) return std::numeric_limits<double>::quiet_NaN();
  return yes / (yes + no);
}

Result<std::unique_ptr<Confidence>> build_agreement(Options& options, const AnswererPtr& small) {
  constexpr double kSamples = 5, kMostSamples = 32, kTemperature = 0.7;
  const Result<double> samples = options.number("samples", kSamples, 2, kMostSamples);
  if (!samples) return std::unexpected(samples.error());
  if (*samples != std::floor(*samples)) {
    return std::unexpected(options.error("samples", "`samples` must be a whole number"));
  }
  const Result<double> temperature = options.number("temperature", kTemperature, 0.01, 2);
  if (!temperature) return std::unexpected(temperature.error());
  return std::make_unique<Agreement>(small, static_cast<int>(*samples), *temperature);
}

Result<std::unique_ptr<Confidence>> build_self_verification(Options&, const AnswererPtr& small) {
  return std::make_unique<Verification>(small, "P(yes) of small itself");
}

Result<std::unique_ptr<Confidence>> build_verifier(Options& options, const AnswererPtr&) {
  Result<AnswererPtr> verifier = options.operand("verifier");
  if (!verifier) return std::unexpected(verifier.error());
  return std::make_unique<Verification>(*std::move(verifier), "P(yes) of the verifier");
}

}  // namespace lichen::mechanisms
