#include "mechanisms/auxiliary/relevance.h"

#include <algorithm>
#include <span>
#include <utility>

namespace lichen::mechanisms {
namespace {

/// The question is read with each sentence, so a long one would be dear.
constexpr std::size_t kMostQuestion = 128;  // tokens

/// Of the tokens that are less surprising `behind` something else than `alone`.
double gain(std::span<const float> alone, std::span<const float> behind) {
  double sum = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) sum += std::max(0.0F, alone[i] - behind[i]);
  return sum;
}

}  // namespace

awaitable<Result<std::vector<double>>> Relevance::of(std::string question,
                                                     std::vector<std::string> sentences,
                                                     Turn& turn) const {
  const model::Vocabulary& vocabulary = surprise_.vocabulary();
  Result<std::vector<Token>> asked = vocabulary.tokenize(question + "\n", false);
  if (!asked) co_return std::unexpected(std::move(asked).error());
  if (asked->size() > kMostQuestion) asked->erase(asked->begin(), asked->end() - kMostQuestion);

  TextsBehind alone{.texts = {*asked}};  // the question, then each sentence with it
  TextsBehind behind_question{.before = *asked};
  for (const std::string& sentence : sentences) {
    Result<std::vector<Token>> tokens = vocabulary.tokenize(sentence + "\n", false);
    if (!tokens) co_return std::unexpected(std::move(tokens).error());
    behind_question.texts.push_back(*tokens);
    tokens->insert(tokens->end(), asked->begin(), asked->end());
    alone.texts.push_back(*std::move(tokens));
  }
  std::vector<TextsBehind> groups{std::move(alone), std::move(behind_question)};
  const auto surprises = co_await surprise_.of(std::move(groups), "compress", turn);
  if (!surprises) co_return std::unexpected(surprises.error());

  std::vector<double> relevance;
  const std::span<const float> question_alone = surprises->front().front();
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const std::span<const float> behind = (*surprises)[1][i];
    const std::span<const float> with_question = (*surprises)[0][i + 1];
    relevance.push_back(gain(with_question.first(behind.size()), behind) +
                        gain(question_alone, with_question.subspan(behind.size())));
  }
  co_return relevance;
}

}  // namespace lichen::mechanisms
