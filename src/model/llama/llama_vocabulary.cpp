#include "model/llama/llama_vocabulary.h"

#include <exception>
#include <limits>

namespace lichen::model {

LlamaVocabulary::LlamaVocabulary(const llama_vocab* vocab) : vocab_(vocab) {
  const int count = llama_vocab_n_tokens(vocab);
  offsets_.reserve(static_cast<std::size_t>(count) + 1);
  std::string buffer(64, '\0');
  for (Token token = 0; token < count; ++token) {
    offsets_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    ends_.push_back(llama_vocab_is_eog(vocab, token));
    auto render = [&] {
      return llama_token_to_piece(vocab, token, buffer.data(), static_cast<int>(buffer.size()), 0,
                                  false);
    };
    int length = render();
    if (length < 0) {
      buffer.resize(static_cast<std::size_t>(-length));
      length = render();
    }
    if (length > 0) bytes_.append(buffer, 0, static_cast<std::size_t>(length));
  }
  offsets_.push_back(static_cast<std::uint32_t>(bytes_.size()));
}

Result<std::vector<Token>> LlamaVocabulary::tokenize(std::string_view text, bool special) const {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) / 2) {
    return fail(Errc::too_large, "the text has " + std::to_string(text.size()) + " bytes");
  }
  // A token is at least one byte, but for the begin and end tokens.
  std::vector<Token> tokens(text.size() + 2);
  auto run = [&] {
    return llama_tokenize(vocab_, text.data(), static_cast<int>(text.size()), tokens.data(),
                          static_cast<int>(tokens.size()), special, special);
  };
  int count = 0;
  try {  // vocabularies that lack byte tokens throw through the C interface
    count = run();
    if (count < 0 && count != std::numeric_limits<int>::min()) {
      tokens.resize(static_cast<std::size_t>(-count));
      count = run();
    }
  } catch (const std::exception& problem) {
    return fail(Errc::bad_model,
                std::string("the vocabulary cannot express this text: ") + problem.what());
  }
  if (count < 0) return fail(Errc::bad_request, "the text cannot be split into tokens");
  tokens.resize(static_cast<std::size_t>(count));
  return tokens;
}

std::string_view LlamaVocabulary::piece(Token token) const {
  const auto i = static_cast<std::size_t>(token);
  return std::string_view(bytes_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
}

}  // namespace lichen::model
