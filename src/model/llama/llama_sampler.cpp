#include "model/llama/llama_sampler.h"

#include <cmath>
#include <random>
#include <vector>

#include "model/rows.h"

namespace lichen::model {
namespace {

struct FreeSampler {
  void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
};
using LlamaSamplerPtr = std::unique_ptr<llama_sampler, FreeSampler>;

constexpr int kPenaltyWindow = 256;

class LlamaSampler : public Sampler {
 public:
  LlamaSampler(const llama_vocab* vocab, LlamaSamplerPtr chain, LlamaSamplerPtr grammar)
      : size_(static_cast<std::size_t>(llama_vocab_n_tokens(vocab))),
        end_(llama_vocab_eos(vocab)),
        chain_(std::move(chain)),
        grammar_(std::move(grammar)) {}

  Token sample(std::span<const float> logits) override {
    Token token = draw(logits, false);
    if (grammar_ != nullptr) {
      if (!allowed(token)) token = draw(logits, true);
      if (!allowed(token)) return end_;  // no token of this vocabulary can go on
      llama_sampler_accept(grammar_.get(), token);
    }
    if (chain_ != nullptr) llama_sampler_accept(chain_.get(), token);
    return token;
  }

 private:
  Token draw(std::span<const float> logits, bool within_grammar) {
    if (chain_ == nullptr && !within_grammar) return argmax(logits);
    row_.resize(size_);
    for (std::size_t i = 0; i < size_; ++i) {
      row_[i] = {.id = static_cast<llama_token>(i), .logit = logits[i], .p = 0};
    }
    llama_token_data_array array{
        .data = row_.data(), .size = size_, .selected = -1, .sorted = false};
    if (within_grammar) llama_sampler_apply(grammar_.get(), &array);
    if (chain_ != nullptr) {
      llama_sampler_apply(chain_.get(), &array);
      if (array.selected >= 0) return array.data[array.selected].id;
    }
    const llama_token_data* best = array.data;
    for (const llama_token_data* it = array.data; it != array.data + array.size; ++it) {
      if (it->logit > best->logit) best = it;
    }
    return best->id;
  }

  bool allowed(Token token) {
    llama_token_data one{.id = token, .logit = 1, .p = 0};
    llama_token_data_array array{.data = &one, .size = 1, .selected = -1, .sorted = false};
    llama_sampler_apply(grammar_.get(), &array);
    return std::isfinite(one.logit);
  }

  const std::size_t size_;
  const Token end_;
  const LlamaSamplerPtr chain_;    // null: argmax
  const LlamaSamplerPtr grammar_;  // null: any text
  std::vector<llama_token_data> row_;
};

Result<void> check(std::string_view name, const std::optional<float>& value, float min, float max) {
  if (!value || (*value >= min && *value <= max)) return {};
  return fail(Errc::bad_request, std::string(name) + " is " + std::to_string(*value) +
                                     "; it must be from " + std::to_string(min) + " to " +
                                     std::to_string(max));
}

Result<void> check(const Sampling& sampling) {
  for (auto result : {check("temperature", sampling.temperature, 0, 100),
                      check("top_p", sampling.top_p, 0, 1), check("min_p", sampling.min_p, 0, 1),
                      check("repetition_penalty", sampling.repetition_penalty, 0.01F, 100),
                      check("presence_penalty", sampling.presence_penalty, -100, 100),
                      check("frequency_penalty", sampling.frequency_penalty, -100, 100)}) {
    if (!result) return result;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Sampler>> make_llama_sampler(const llama_vocab* vocab,
                                                    const Sampling& sampling,
                                                    const std::string& grammar) {
  if (Result<void> checked = check(sampling); !checked) return std::unexpected(checked.error());
  const int size = llama_vocab_n_tokens(vocab);
  const float temperature = sampling.temperature.value_or(0);
  const float repetition = sampling.repetition_penalty.value_or(1);
  const float presence = sampling.presence_penalty.value_or(0);
  const float frequency = sampling.frequency_penalty.value_or(0);
  const bool penalties = repetition != 1 || presence != 0 || frequency != 0;

  LlamaSamplerPtr rules;
  if (!grammar.empty()) {
    rules.reset(llama_sampler_init_grammar(vocab, grammar.c_str(), "root"));
    if (rules == nullptr) {
      return fail(Errc::bad_request,
                  "the grammar does not parse; it must be GBNF with a rule named `root`");
    }
  }
  LlamaSamplerPtr chain;
  if (temperature > 0 || penalties || !sampling.logit_bias.empty()) {
    chain.reset(llama_sampler_chain_init({.no_perf = true}));
    auto add = [&](llama_sampler* sampler) { llama_sampler_chain_add(chain.get(), sampler); };
    if (!sampling.logit_bias.empty()) {
      std::vector<llama_logit_bias> biases;
      for (const auto& [token, bias] : sampling.logit_bias) biases.push_back({token, bias});
      add(llama_sampler_init_logit_bias(size, static_cast<int>(biases.size()), biases.data()));
    }
    if (penalties) {
      add(llama_sampler_init_penalties(size, kPenaltyWindow, repetition, frequency, presence));
    }
    if (temperature > 0) {
      if (sampling.top_k.value_or(0) > 0) add(llama_sampler_init_top_k(*sampling.top_k));
      if (sampling.top_p.value_or(1) < 1) add(llama_sampler_init_top_p(*sampling.top_p, 1));
      if (sampling.min_p.value_or(0) > 0) add(llama_sampler_init_min_p(*sampling.min_p, 1));
      add(llama_sampler_init_temp(temperature));
      const auto seed = static_cast<std::uint64_t>(
          sampling.seed ? *sampling.seed : std::int64_t{std::random_device{}()});
      // All 64 bits count; libllama reads 0xffffffff as "random".
      auto folded = static_cast<std::uint32_t>(seed ^ (seed >> 32));
      if (folded == LLAMA_DEFAULT_SEED) folded = 0;
      add(llama_sampler_init_dist(folded));
    } else {
      add(llama_sampler_init_greedy());
    }
  }
  if (chain == nullptr && rules == nullptr) return nullptr;
  return std::make_unique<LlamaSampler>(vocab, std::move(chain), std::move(rules));
}

}  // namespace lichen::model
