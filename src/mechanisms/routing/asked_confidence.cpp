#include "mechanisms/routing/asked_confidence.h"

#include <spdlog/fmt/fmt.h>

#include <utility>
#include <vector>

#include "mechanisms/answer_text.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/routing/text_features.h"
#include "mechanisms/sampled_answers.h"
#include "mechanisms/verdict.h"
#include "mechanisms/whole_number.h"

namespace lichen::mechanisms {
namespace {

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
    std::vector<Request> requests;
    for (int i = 1; i <= samples_; ++i) {
      requests.push_back(sampled(request, temperature_, i));
      requests.back().logprobs = false;
      requests.back().top_logprobs = 0;
    }
    const std::vector<SampledAnswer> samples = co_await draw(small_, std::move(requests), turn);
    const std::string wanted = normalized(said(answer));
    for (const SampledAnswer& sample : samples) absorb_as(turn, *sample.turn, "sample");
    double agree = 0;
    for (const SampledAnswer& sample : samples) {
      if (!sample.answer) co_return std::unexpected(sample.answer.error());
      agree += normalized(said(*sample.answer)) == wanted ? 1 : 0;
    }
    co_return agree / samples_;
  }

 private:
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
    co_return co_await ask_verdict(verifier_, *std::move(prompt), VerdictWords(), "verify", turn);
  }

 private:
  const AnswererPtr verifier_;
  const std::string words_;
};

}  // namespace

Result<std::unique_ptr<Confidence>> build_agreement(Options& options, const AnswererPtr& small) {
  constexpr double kTemperature = 0.7;
  constexpr int kSamples = 5, kMostSamples = 32;
  const Result<int> samples = whole_number(options, "samples", kSamples, 2, kMostSamples);
  if (!samples) return std::unexpected(samples.error());
  const Result<double> temperature = options.number("temperature", kTemperature, 0.01, 2);
  if (!temperature) return std::unexpected(temperature.error());
  return std::make_unique<Agreement>(small, *samples, *temperature);
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
