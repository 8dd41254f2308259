#include "mechanisms/auxiliary/word_surprise.h"

#include <algorithm>
#include <span>
#include <utility>

namespace lichen::mechanisms {
namespace {

constexpr std::size_t kWindow = 384, kContext = 128;  // tokens

/// Where in the text a window's tokens begin that are not only context.
std::size_t context_of(std::size_t window) { return std::min(window * kWindow, kContext); }

}  // namespace

awaitable<Result<std::vector<SurpriseOfWord>>> WordSurprise::of(std::string text,
                                                                std::vector<std::size_t> words,
                                                                Turn& turn) const {
  const model::Vocabulary& vocabulary = surprise_.vocabulary();
  const Result<std::vector<Token>> tokens = vocabulary.tokenize(text, false);
  if (!tokens) co_return std::unexpected(tokens.error());
  TextsBehind windows;
  for (std::size_t window = 0; window * kWindow < tokens->size(); ++window) {
    const std::size_t begin = window * kWindow - context_of(window);
    const std::size_t end = std::min(tokens->size(), (window + 1) * kWindow);
    windows.texts.emplace_back(tokens->begin() + static_cast<std::ptrdiff_t>(begin),
                               tokens->begin() + static_cast<std::ptrdiff_t>(end));
  }
  std::vector<TextsBehind> groups{std::move(windows)};
  const auto surprises = co_await surprise_.of(std::move(groups), "compress", turn);
  if (!surprises) co_return std::unexpected(surprises.error());

  // Some vocabularies put a blank before every text.
  std::size_t bytes = 0;
  for (const Token token : *tokens) bytes += vocabulary.piece(token).size();
  const std::size_t added = bytes - std::min(bytes, text.size());
  std::vector<SurpriseOfWord> result(words.size());
  std::size_t word = 0, end_of_word = added + (words.empty() ? 0 : words[0]), at = 0;
  for (std::size_t i = 0; i < tokens->size() && !words.empty(); ++i) {
    while (at >= end_of_word && word + 1 < words.size()) end_of_word += words[++word];
    const std::size_t window = i / kWindow;
    const Surprises& of_windows = surprises->front();
    // A damaged model may say NaN, by which nothing can be sorted: that is 0 here.
    result[word].nats += std::max(0.0F, of_windows[window][i % kWindow + context_of(window)]);
    ++result[word].tokens;
    at += vocabulary.piece((*tokens)[i]).size();
  }
  co_return result;
}

}  // namespace lichen::mechanisms
