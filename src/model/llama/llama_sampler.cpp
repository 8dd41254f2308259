#include "model/llama/llama_sampler.h"

#include <llama.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "base/bounds.h"
#include "model/grammar_matcher.h"
#include "model/rows.h"

namespace lichen::model {
namespace {

struct FreeSampler {
  void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
};
using LlamaSamplerPtr = std::unique_ptr<llama_sampler, FreeSampler>;

constexpr int kPenaltyWindow = 256;

// What a grammar may cost: entries of the matcher in memory for an answer, and steps for one token.
// A JSON schema's takes 2 entries and some 20 steps for a character; all tokens are tried where the
// drawn one is refused. 10 million steps take about half a second.
constexpr std::size_t kGrammarEntries = 4'000'000;

std::uint64_t grammar_steps(const TokenOrder& tokens) {
  return 1'000'000 + 128 * static_cast<std::uint64_t>(tokens.vocabulary().size());
}

std::unexpected<Error> too_ambiguous(const TokenOrder& tokens) {
  return fail(Errc::bad_request,
              "the grammar is too ambiguous: to follow all ways to read the text takes more than " +
                  std::to_string(grammar_steps(tokens)) + " steps for one token, or more than " +
                  std::to_string(kGrammarEntries) +
                  " entries in memory; fewer optional parts in a row, or rules that begin with "
                  "different text, would help");
}

/// Draws by the request's seed, which all 64 bits of count.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// From 0 to below 1.
  double roll() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 engine_;
};

class LlamaSampler : public Sampler {
 public:
  /// Without a chain it takes the argmax, without dice the chain's likeliest.
  LlamaSampler(std::shared_ptr<const TokenOrder> tokens, LlamaSamplerPtr chain,
               std::optional<Dice> dice, std::optional<GrammarMatcher> grammar,
               std::map<Token, float> biases)
      : tokens_(std::move(tokens)),
        chain_(std::move(chain)),
        dice_(std::move(dice)),
        grammar_(std::move(grammar)),
        biases_(std::move(biases)) {}

  Result<Token> sample(std::span<const float> logits) override { return choose(logits, nullptr); }
  Result<Token> sample(std::span<const float> logits, const Draft& draft) override {
    return choose(logits, &draft);
  }

 private:
  Result<Token> choose(std::span<const float> logits, const Draft* draft) {
    Token token = chain_ == nullptr ? argmax(logits) : pick(logits, nullptr, draft);
    if (grammar_) {
      grammar_->allow(grammar_steps(*tokens_));
      if (!tokens_->allows(*grammar_, token)) {
        const std::vector<bool> allowed = tokens_->allowed(*grammar_);
        if (grammar_->exhausted()) return too_ambiguous(*tokens_);
        if (std::ranges::find(allowed, true) == allowed.end()) {
          return fail(Errc::unsupported,
                      "no token of the model's vocabulary can continue the answer as the grammar "
                      "has it");
        }
        token = pick(logits, &allowed, nullptr);
      }
      if (!tokens_->vocabulary().ends(token)) {
        for (const char c : tokens_->vocabulary().piece(token)) {
          grammar_->push(static_cast<unsigned char>(c));
        }
        grammar_->keep();
      }
      if (grammar_->exhausted() || grammar_->size() > kGrammarEntries)
        return too_ambiguous(*tokens_);
    }
    if (chain_ != nullptr) llama_sampler_accept(chain_.get(), token);
    return token;
  }

  /// From all tokens, or from those that are `allowed`, of which there is one at least.
  Token pick(std::span<const float> logits, const std::vector<bool>* allowed, const Draft* draft) {
    row_.resize(logits.size());
    std::size_t size = 0;
    auto bias = biases_.begin();  // in the order of tokens, as the row is
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const auto id = static_cast<llama_token>(i);
      while (bias != biases_.end() && bias->first < id) ++bias;
      if (allowed != nullptr && !(*allowed)[i]) continue;
      const bool biased = bias != biases_.end() && bias->first == id;
      row_[size++] = {.id = id, .logit = logits[i] + (biased ? bias->second : 0), .p = 0};
    }
    llama_token_data_array array{
        .data = row_.data(), .size = size, .selected = -1, .sorted = false};
    if (chain_ != nullptr) llama_sampler_apply(chain_.get(), &array);
    const std::span<llama_token_data> left(array.data, array.size);
    const llama_token_data& best = *std::ranges::max_element(
        left, [](const auto& a, const auto& b) { return a.logit < b.logit; });
    return dice_ ? draw(left, best.logit, draft) : best.id;
  }

  Token draw(std::span<llama_token_data> tokens, float most, const Draft* draft) {
    double sum = 0;
    for (llama_token_data& token : tokens) {
      token.p = std::exp(token.logit - most);
      sum += static_cast<double>(token.p);
    }
    if (draft != nullptr) {
      if (accept(tokens, sum, *draft)) return draft->token;
      sum = subtract(tokens, sum, *draft);
      if (!(sum > 0)) return draft->token;  // but for rounding it would have been accepted
    }
    double left = dice_->roll() * sum;
    const llama_token_data* chosen = nullptr;
    for (const llama_token_data& token : tokens) {
      if (!(token.p > 0)) continue;
      chosen = &token;
      left -= static_cast<double>(token.p);
      if (left < 0) break;
    }
    return chosen != nullptr ? chosen->id : tokens.front().id;
  }

  /// With the probability min(1, p / q), where q is the draft's and p ours.
  bool accept(std::span<const llama_token_data> tokens, double sum, const Draft& draft) {
    const auto ours = std::ranges::find(tokens, draft.token, &llama_token_data::id);
    if (ours == tokens.end()) return false;
    double q = 1;
    if (!draft.odds.empty()) {
      const auto theirs = std::ranges::find(draft.odds, draft.token, &TokenOdds::token);
      q = theirs == draft.odds.end() ? 0 : static_cast<double>(theirs->probability);
    }
    return q > 0 && dice_->roll() * q * sum < static_cast<double>(ours->p);
  }

  /// Leaves max(0, p - q) of each token; returns the sum.
  double subtract(std::span<llama_token_data> tokens, double sum, const Draft& draft) {
    const TokenOdds certain{draft.token, 1};
    const std::span<const TokenOdds> odds =
        draft.odds.empty() ? std::span(&certain, 1) : draft.odds;
    drafted_.resize(row_.size());
    for (const TokenOdds& each : odds)
      drafted_[static_cast<std::size_t>(each.token)] = each.probability;
    double left = 0;
    for (llama_token_data& token : tokens) {
      const auto q = static_cast<double>(drafted_[static_cast<std::size_t>(token.id)]);
      token.p = static_cast<float>(std::max(0.0, static_cast<double>(token.p) - q * sum));
      left += static_cast<double>(token.p);
    }
    for (const TokenOdds& each : odds) drafted_[static_cast<std::size_t>(each.token)] = 0;
    return left;
  }

  const std::shared_ptr<const TokenOrder> tokens_;
  const LlamaSamplerPtr chain_;
  std::optional<Dice> dice_;
  std::optional<GrammarMatcher> grammar_;
  /// libllama's own compare each token with each of them once some are left out.
  const std::map<Token, float> biases_;
  std::vector<llama_token_data> row_;
  std::vector<float> drafted_;  // a draft's probabilities by token; all 0 between two draws
};

Result<std::optional<GrammarMatcher>> start(const TokenOrder& tokens, const std::string& grammar,
                                            const std::string& begun) {
  if (grammar.empty()) return std::nullopt;
  Result<Grammar> parsed = parse_gbnf(grammar);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  GrammarMatcher matcher(std::make_shared<const Grammar>(*std::move(parsed)),
                         grammar_steps(tokens));
  if (matcher.exhausted()) return too_ambiguous(tokens);
  if (!matcher.may_go_on() && !matcher.may_end()) {
    return fail(Errc::bad_request,
                "the grammar allows no text at all: each way through `root` comes back to a rule "
                "before any character");
  }
  matcher.allow(grammar_steps(tokens));
  for (const char c : begun) {
    if (!matcher.push(static_cast<unsigned char>(c))) {
      return fail(Errc::internal, "the grammar of the tools does not begin as the prompt ends");
    }
  }
  matcher.keep();
  return matcher;
}

Result<void> check(std::string_view name, const std::optional<float>& value, float min, float max) {
  if (!value || (*value >= min && *value <= max)) return {};
  return fail(Errc::bad_request, std::string(name) + " is " + std::to_string(*value) +
                                     "; it must be from " + std::to_string(min) + " to " +
                                     std::to_string(max));
}

Result<void> check(const Sampling& sampling) {
  for (auto result : {check("temperature", sampling.temperature, 0, 100),
                      check("top_p", sampling.top_p, 0, 1), check("min_p", sampling.min_p, 0, 1),
                      check("repetition_penalty", sampling.repetition_penalty,
                            base::kLeastRepetitionPenalty, base::kMostRepetitionPenalty),
                      check("presence_penalty", sampling.presence_penalty, -100, 100),
                      check("frequency_penalty", sampling.frequency_penalty, -100, 100)}) {
    if (!result) return result;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Sampler>> make_llama_sampler(std::shared_ptr<const TokenOrder> tokens,
                                                    const Sampling& sampling,
                                                    const std::string& grammar,
                                                    const std::string& begun) {
  if (Result<void> checked = check(sampling); !checked) return std::unexpected(checked.error());
  const int size = tokens->vocabulary().size();
  constexpr float kColdest = 1e-6F;  // below, what is divided by it overflows
  const float wanted = sampling.temperature.value_or(0);
  const float temperature = wanted < kColdest ? 0 : wanted;
  const float repetition = sampling.repetition_penalty.value_or(1);
  const float presence = sampling.presence_penalty.value_or(0);
  const float frequency = sampling.frequency_penalty.value_or(0);
  const bool penalties = repetition != 1 || presence != 0 || frequency != 0;

  Result<std::optional<GrammarMatcher>> matcher = start(*tokens, grammar, begun);
  if (!matcher) return std::unexpected(std::move(matcher.error()));
  LlamaSamplerPtr chain;
  std::optional<Dice> dice;
  if (temperature > 0 || penalties || !sampling.logit_bias.empty()) {
    chain.reset(llama_sampler_chain_init({.no_perf = true}));
    auto add = [&](llama_sampler* sampler) { llama_sampler_chain_add(chain.get(), sampler); };
    if (penalties) {
      add(llama_sampler_init_penalties(size, kPenaltyWindow, repetition, frequency, presence));
    }
    if (temperature > 0) {
      if (sampling.top_k.value_or(0) > 0) add(llama_sampler_init_top_k(*sampling.top_k));
      if (sampling.top_p.value_or(1) < 1) add(llama_sampler_init_top_p(*sampling.top_p, 1));
      if (sampling.min_p.value_or(0) > 0) add(llama_sampler_init_min_p(*sampling.min_p, 1));
      add(llama_sampler_init_temp(temperature));
      dice.emplace(sampling.seed
                       ? static_cast<std::uint64_t>(*sampling.seed)
                       : (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}());
    }
  }
  if (chain == nullptr && !*matcher) return nullptr;
  return std::make_unique<LlamaSampler>(std::move(tokens), std::move(chain), std::move(dice),
                                        *std::move(matcher), sampling.logit_bias);
}

}  // namespace lichen::model
