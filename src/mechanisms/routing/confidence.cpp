#include "mechanisms/routing/confidence.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "mechanisms/routing/asked_confidence.h"
#include "mechanisms/routing/learned_confidence.h"
#include "mechanisms/routing/token_confidence.h"

namespace lichen::mechanisms {
namespace {

class OfTokens : public Confidence {
 public:
  OfTokens(const TokenConfidence& confidence, double quantile)
      : confidence_(confidence), quantile_(quantile), words_(confidence.words) {
    if (quantile > 0) words_ = fmt::format("{} at {}", confidence.words, quantile);
  }

  const std::string& words() const override { return words_; }
  Scale scale() const override {
    return {.least = confidence_.least, .most = confidence_.most, .usual = confidence_.usual};
  }
  int alternatives() const override { return confidence_.alternatives; }
  OfToken least_of() const override {
    return confidence_.over != TokenConfidence::Over::mean && quantile_ == 0 ? confidence_.of_token
                                                                             : nullptr;
  }
  awaitable<Result<double>> of(const Request&, const Answer& answer, Turn&) const override {
    if (answer.tokens.empty()) co_return fail(Errc::unsupported, "small gave no log-probabilities");
    co_return confidence_of(confidence_, answer.tokens, quantile_);
  }

 private:
  const TokenConfidence& confidence_;
  const double quantile_;
  std::string words_;
};

Result<std::unique_ptr<Confidence>> build_of_tokens(Options& options,
                                                    const TokenConfidence& confidence) {
  Result<double> quantile = 0;
  if (confidence.over == TokenConfidence::Over::quantile) {
    quantile = options.number("quantile", confidence.quantile, 0, 1);
  }
  if (!quantile) return std::unexpected(quantile.error());
  return std::make_unique<OfTokens>(confidence, *quantile);
}

struct Other {
  std::string_view name;
  Result<std::unique_ptr<Confidence>> (*build)(Options&, const AnswererPtr& small);
};

constexpr Other kOthers[] = {{"agreement", build_agreement},
                             {"self", build_self_verification},
                             {"verifier", build_verifier},
                             {"learned", build_learned}};

}  // namespace

double as_probability(const Confidence& confidence, double score) {
  // Scales that end at 0 are those of logarithms.
  return std::clamp(confidence.scale().most > 0 ? score : std::exp(score), 0.0, 1.0);
}

Result<std::unique_ptr<Confidence>> build_confidence(Options& options, const AnswererPtr& small) {
  std::vector<std::string_view> names;
  for (const TokenConfidence& confidence : token_confidences()) names.push_back(confidence.name);
  for (const Other& other : kOthers) names.push_back(other.name);
  const Result<std::string> chosen = options.choice("confidence", names, names.front());
  if (!chosen) return std::unexpected(chosen.error());
  const auto of_tokens = std::ranges::find(token_confidences(), *chosen, &TokenConfidence::name);
  if (of_tokens != token_confidences().end()) return build_of_tokens(options, *of_tokens);
  return std::ranges::find(kOthers, *chosen, &Other::name)->build(options, small);
}

}  // namespace lichen::mechanisms
