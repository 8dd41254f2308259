// Sampling and grammars on real weights.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <cmath>
#include <random>
#include <set>

#include "model/llama/llama_sampler.h"
#include "model/llama/llama_test.h"
#include "model/llama/llama_vocabulary.h"

namespace lichen::model {
namespace {

class LlamaSamplingTest : public LlamaTest {
 protected:
  /// Hot enough to stray from the likeliest answer unless a filter prevents it.
  static Request hot() {
    Request request = question("Reverse the order of this list: cloud, tiger, maple, falcon.");
    request.sampling.temperature = 5.0F;
    request.sampling.seed = 7;
    request.max_tokens = 24;
    return request;
  }
  static std::string likeliest() {
    Request request = hot();
    request.sampling = {};
    return ask(request)->text;
  }
};

TEST_F(LlamaSamplingTest, TheSameSeedGivesTheSameAnswer) {
  Request request = question("Reverse the order of this list: cloud, tiger, maple.");
  request.sampling.temperature = 2.0F;
  request.sampling.seed = 7;
  request.max_tokens = 24;
  const Result<Answer> first = ask(request);
  const Result<Answer> second = ask(request);
  request.sampling.seed = 8;
  const Result<Answer> other = ask(request);
  ASSERT_TRUE(first && second && other);
  EXPECT_EQ(first->text, second->text);
  EXPECT_NE(first->text, other->text);
}

TEST_F(LlamaSamplingTest, PenaltiesAndBiasChangeTheAnswer) {
  Request request = question("What is 12 + 30?");
  const Result<Answer> plain = ask(request);
  const auto tokens = *small_->vocabulary().tokenize("4", false);
  request.sampling.logit_bias = {{tokens.front(), -100.0F}};
  const Result<Answer> biased = ask(request);
  ASSERT_TRUE(plain && biased);
  EXPECT_EQ(biased->text.find('4'), std::string::npos) << biased->text;
  request.sampling.logit_bias.clear();
  request.sampling.presence_penalty = 100;
  const Result<Answer> penalised = ask(request);
  ASSERT_TRUE(penalised.has_value());
  EXPECT_NE(penalised->text, plain->text);
  request.sampling.presence_penalty.reset();
  request.sampling.temperature = -1;
  EXPECT_EQ(ask(request).error().code, Errc::bad_request);
}

TEST_F(LlamaSamplingTest, AGrammarHolds) {
  Request request = question("What is 12 + 30?");
  request.format.gbnf = "root ::= \"yes\" | \"no\"";
  const Result<Answer> answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  EXPECT_TRUE(answer->text == "yes" || answer->text == "no") << answer->text;
  request.format.gbnf = "root ::= (";
  const Result<Answer> broken = ask(request);
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().code, Errc::bad_request);
}

TEST_F(LlamaSamplingTest, AJsonSchemaHolds) {
  Request request = question("Tell me of Paris.");
  request.format.json_schema = boost::json::parse(R"({
      "type": "object", "additionalProperties": false, "required": ["city", "size"],
      "properties": {"city": {"enum": ["Paris", "Rome"]}, "size": {"type": "boolean"}}})");
  request.max_tokens = 100;
  const Result<Answer> answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  boost::system::error_code bad;
  const auto value = boost::json::parse(answer->text, bad);
  ASSERT_FALSE(bad) << answer->text;
  EXPECT_TRUE(value.at("size").is_bool());
}

TEST_F(LlamaSamplingTest, EachFilterKeepsTheLikeliestOnly) {
  const std::string greedy = likeliest();
  EXPECT_NE(ask(hot())->text, greedy);
  Request request = hot();
  request.sampling.top_k = 1;
  EXPECT_EQ(ask(request)->text, greedy);
  request = hot();
  request.sampling.top_p = 0.001F;
  EXPECT_EQ(ask(request)->text, greedy);
  request = hot();
  request.sampling.min_p = 0.999F;
  EXPECT_EQ(ask(request)->text, greedy);
}

TEST_F(LlamaSamplingTest, PenaltiesPreventRepetition) {
  auto repeats = [](const Answer& answer) {
    std::set<std::string> different;
    for (const AnswerToken& token : answer.tokens) different.insert(token.text);
    return answer.tokens.size() - different.size();
  };
  Request request = hot();
  request.sampling = {};
  EXPECT_GT(repeats(*ask(request)), 0u);
  request.sampling.frequency_penalty = 100;
  EXPECT_EQ(repeats(*ask(request)), 0u);
  request.sampling = {.repetition_penalty = 10.0F};
  EXPECT_EQ(repeats(*ask(request)), 0u);
}

TEST_F(LlamaSamplingTest, TheSameSeedGivesTheSameAnswerBesideOthers) {
  std::vector<Request> requests;
  for (int i = 0; i < 16; ++i) {
    requests.push_back(question("Sort from smallest to largest: " + std::to_string(911 - 37 * i) +
                                ", " + std::to_string(55 + 31 * i) + ", 300."));
    requests.back().sampling = {.temperature = 1.0F, .seed = 100 + i};
    requests.back().max_tokens = 24;
  }
  const std::vector<Result<Answer>> together = ask(*small_, requests);
  int same = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    same += together[i]->text == ask(requests[i])->text;
  }
  // A batch may move logits in their last digits, and a draw may fall right there.
  EXPECT_GE(same, 14);
}

TEST_F(LlamaSamplingTest, AJsonObjectIsOne) {
  Request request = question(
      "Answer with JSON. Keys: card, order. Message: Please look up ORD-27706. I paid by card, "
      "1466 3786 0701 9834.");
  request.format.json_object = true;
  request.max_tokens = 100;
  const Result<Answer> answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  EXPECT_EQ(answer->finish, Finish::stop) << answer->text;
  boost::system::error_code bad;
  EXPECT_TRUE(boost::json::parse(answer->text, bad).is_object()) << answer->text;
}

TEST_F(LlamaSamplingTest, AnAmbiguousGrammarTakesAMomentOnly) {
  // Each would take libllama more stacks than there is memory.
  Request request = question("What is 12 + 30?");
  request.format.gbnf = "root ::= ";
  for (int i = 0; i < 400; ++i) request.format.gbnf += "(\"a\"? \"b\"? [0-9]?) ";
  request.max_tokens = 12;
  EXPECT_TRUE(ask(request).has_value());
  request.format.gbnf = "root ::= (\"a\"? \" \"? [0-9]?){0,300}";
  EXPECT_TRUE(ask(request).has_value());
  request.format.gbnf = "root ::= . root \"b\" | . root \"c\" | \"d\"";
  EXPECT_TRUE(ask(request).has_value());
  // What is too much even so is refused.
  request.format.gbnf = "root ::= ([^0-9]? [^0-9]? [^0-9]? [^0-9]?){9000}";
  const Result<Answer> answer = ask(request);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Errc::bad_request);
  EXPECT_NE(answer.error().detail.find("too ambiguous"), std::string::npos);
  request.format.gbnf = "root ::= root";
  EXPECT_EQ(ask(request).error().code, Errc::bad_request);
}

TEST_F(LlamaSamplingTest, LargeOrdinarySchemasWork) {
  Request request = question("Tell me of Paris.");
  request.format.json_schema = boost::json::parse(R"({"type": "object",
      "additionalProperties": false, "required": ["name", "tags", "parts", "when"], "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 5000},
        "tags": {"type": "array", "minItems": 1, "maxItems": 300, "items": {"type": "string"}},
        "parts": {"type": "array", "maxItems": 500, "items": {"$ref": "#/$defs/part"}},
        "when": {"type": "string", "format": "date-time"}},
      "$defs": {"part": {"type": "object", "properties": {"id": {"type": "integer"},
          "of": {"$ref": "#/$defs/part"}}}}})");
  request.max_tokens = 40;
  const Result<Answer> answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  EXPECT_TRUE(answer->text.starts_with('{')) << answer->text;
}

/// Of two tokens, neither of which ends an answer.
class TwoLetters : public Vocabulary {
 public:
  int size() const override { return 2; }
  Result<std::vector<Token>> tokenize(std::string_view, bool) const override { return {}; }
  std::string_view piece(Token token) const override { return token == 0 ? "a" : "b"; }
  bool ends(Token) const override { return false; }
};

TEST_F(LlamaSamplingTest, AGrammarThatNoTokenCanContinueIsAnError) {
  const TwoLetters vocabulary;
  const auto order = std::make_shared<const TokenOrder>(vocabulary);
  const std::vector<float> logits{1, 2};
  for (const char* grammar : {"root ::= \"a\"", "root ::= \"ac\" | \"ad\""}) {
    auto sampler = make_llama_sampler(order, {}, grammar, "");
    ASSERT_TRUE(sampler.has_value()) << sampler.error().detail;
    EXPECT_EQ((*sampler)->sample(logits).value_or(-1), 0);
    const Result<Token> next = (*sampler)->sample(logits);
    ASSERT_FALSE(next.has_value());
    EXPECT_EQ(next.error().code, Errc::unsupported);
  }
}

/// Walks through each grammar in both engines, and compares what they allow.
TEST_F(LlamaSamplingTest, GrammarsMeanWhatLibllamaMeans) {
  struct Free {
    void operator()(llama_model* model) const { llama_model_free(model); }
    void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
  };
  llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  const std::unique_ptr<llama_model, Free> weights(llama_model_load_from_file(kSmall, params));
  const llama_vocab* vocab = llama_model_get_vocab(weights.get());
  const LlamaVocabulary vocabulary(vocab);
  const TokenOrder order(vocabulary);
  for (const char* text :
       {"root ::= \"yes\" | \"no\" | [0-9]{1,3}", "root ::= [^a-z]+ (\"x\" [é-ü]? .)* \"end\"",
        "root ::= list\nlist ::= \"[\" (item (\", \" item)*)? \"]\"\nitem ::= [0-9]+ | list",
        "root ::= word root | word\nword ::= [a-z]{2,5} \" \"",
        "root ::= \"\\\"\" ([^\"\\\\\\x7F\\x00-\\x1F] | \"\\\\\" [nrt])* \"\\\"\"",
        "root ::= a{2,} b? | \"\"\na ::= \"to\" | \"t\"\nb ::= \"o\"+ [^o]"}) {
    Result<Grammar> grammar = parse_gbnf(text);
    ASSERT_TRUE(grammar.has_value()) << grammar.error().detail;
    GrammarMatcher ours(std::make_shared<const Grammar>(*std::move(grammar)), 1'000'000'000);
    const std::unique_ptr<llama_sampler, Free> theirs(
        llama_sampler_init_grammar(vocab, text, "root"));
    std::uint32_t random = 1;
    for (int step = 0; step < 30; ++step) {
      std::vector<llama_token_data> row;
      for (Token token = 0; token < vocabulary.size(); ++token) row.push_back({token, 1, 0});
      llama_token_data_array array{row.data(), row.size(), -1, false};
      llama_sampler_apply(theirs.get(), &array);
      const std::vector<bool> allowed = order.allowed(ours);
      std::vector<Token> next;
      for (Token token = 0; token < vocabulary.size(); ++token) {
        const auto i = static_cast<std::size_t>(token);
        const std::string_view piece = vocabulary.piece(token);
        const bool control = piece.empty() && !vocabulary.ends(token);
        if (control) continue;  // libllama spells them out, where the answer's text has nothing
        // Nor does it mind bytes that no UTF-8 has, and it never takes a zero.
        auto odd = [](unsigned char c) { return c == 0 || c >= 0xF5; };
        if (std::ranges::any_of(piece, odd)) continue;
        ASSERT_EQ(allowed[i], std::isfinite(row[i].logit))
            << text << "\nstep " << step << ", token " << token << " "
            << testing::PrintToString(std::string(piece));
        // After these bytes not every continuation is UTF-8, which libllama does not mind either.
        const bool picky =
            !piece.empty() && std::string_view("\xE0\xED\xF0\xF4").contains(piece.back());
        if (allowed[i] && !vocabulary.ends(token) && !picky) next.push_back(token);
      }
      if (next.empty()) break;
      random = random * 1'664'525 + 1'013'904'223;
      const Token token = next[(random >> 8) % next.size()];
      for (const char c : vocabulary.piece(token)) {
        ASSERT_TRUE(ours.push(static_cast<unsigned char>(c)));
      }
      ours.keep();
      llama_sampler_accept(theirs.get(), token);
    }
  }
}

/// Chi-square of what a sampler draws, when told of drafts, against `expected`.
class DraftedSampling : public LlamaSamplingTest {
 protected:
  static constexpr int kDraws = 4'000;
  static constexpr Token kFirst = 300;  // of the few tokens that are possible

  /// `drafts`: what the drafts are drawn from; `chosen`: the drafts were not drawn.
  static double chi_square(const Sampling& sampling, const std::vector<double>& target,
                           const std::vector<double>& drafts, bool chosen,
                           const std::vector<double>& expected) {
    auto sampler = *make_llama_sampler(std::make_shared<const TokenOrder>(small_->vocabulary()),
                                       sampling, "", "");
    std::vector<float> logits(static_cast<std::size_t>(small_->vocabulary().size()), -INFINITY);
    std::vector<TokenOdds> odds;
    for (std::size_t i = 0; i < target.size(); ++i) {
      const Token token = kFirst + static_cast<Token>(i);
      logits[static_cast<std::size_t>(token)] = static_cast<float>(std::log(target[i]));
      odds.push_back({token, static_cast<float>(drafts[i])});
    }
    std::mt19937 random(5);
    std::discrete_distribution<int> draw(drafts.begin(), drafts.end());
    std::vector<double> counts(target.size());
    for (int i = 0; i < kDraws; ++i) {
      Draft draft{.token = kFirst + draw(random)};
      if (!chosen) draft.odds = odds;
      const Token token = *sampler->sample(logits, draft);
      counts.at(static_cast<std::size_t>(token - kFirst)) += 1;
    }
    double chi = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const double mean = kDraws * expected[i];
      if (mean == 0) {
        EXPECT_EQ(counts[i], 0);
      } else {
        chi += (counts[i] - mean) * (counts[i] - mean) / mean;
      }
    }
    return chi;
  }
  static Sampling warm(float temperature = 1) {
    Sampling sampling;
    sampling.temperature = temperature;
    sampling.seed = 3;
    return sampling;
  }
};

constexpr double kUnlikely = 27;  // chi-square with 4 degrees of freedom is over it once in 50,000

TEST_F(DraftedSampling, DraftsDoNotChangeTheDistribution) {
  const std::vector<double> target = {0.4, 0.3, 0.15, 0.1, 0.05};
  for (const auto& drafts : std::vector<std::vector<double>>{{0.4, 0.3, 0.15, 0.1, 0.05},
                                                             {0.05, 0.1, 0.15, 0.3, 0.4},
                                                             {0.9, 0.1, 0, 0, 0},
                                                             {0.2, 0.2, 0.2, 0.2, 0.2}}) {
    EXPECT_LT(chi_square(warm(), target, drafts, false, target), kUnlikely);
    EXPECT_LT(chi_square(warm(), target, drafts, true, target), kUnlikely) << "chosen drafts";
  }
}

TEST_F(DraftedSampling, NorBehindFiltersAndTemperatures) {
  const std::vector<double> target = {0.4, 0.3, 0.15, 0.1, 0.05},
                            drafts = {0.2, 0.1, 0.3, 0.3, 0.1};
  Sampling sampling = warm();
  sampling.top_k = 3;
  EXPECT_LT(
      chi_square(sampling, target, drafts, false, {0.4 / 0.85, 0.3 / 0.85, 0.15 / 0.85, 0, 0}),
      kUnlikely);
  const double sum = 0.16 + 0.09 + 0.0225 + 0.01 + 0.0025;
  EXPECT_LT(chi_square(warm(0.5F), target, drafts, false,
                       {0.16 / sum, 0.09 / sum, 0.0225 / sum, 0.01 / sum, 0.0025 / sum}),
            kUnlikely);
}

TEST_F(DraftedSampling, AGoodDraftIsMostlyTaken) {
  auto sampler =
      *make_llama_sampler(std::make_shared<const TokenOrder>(small_->vocabulary()), warm(), "", "");
  std::vector<float> logits(static_cast<std::size_t>(small_->vocabulary().size()), -INFINITY);
  logits[300] = std::log(0.5F);
  logits[301] = std::log(0.5F);
  const std::vector<TokenOdds> odds = {{300, 0.6F}, {301, 0.4F}};
  int taken = 0;
  for (int i = 0; i < 1'000; ++i) {
    const Token token = i % 5 < 3 ? 300 : 301;
    taken += *sampler->sample(logits, {.token = token, .odds = odds}) == token;
  }
  EXPECT_NEAR(taken, 900, 40) << "the two have 0.9 in common";
}

}  // namespace
}  // namespace lichen::model
