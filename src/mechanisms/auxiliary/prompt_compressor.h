// Shortens the messages of a request by what a local small model makes of them, after LLMLingua
// (arXiv 2310.05736) and LongLLMLingua (arXiv 2310.06839): first whole sentences by their relevance
// to the question, then words by their surprise.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lichen/request.h"
#include "lichen/result.h"
#include "lichen/turn.h"
#include "mechanisms/auxiliary/relevance.h"
#include "mechanisms/auxiliary/surprise.h"
#include "mechanisms/auxiliary/word_surprise.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// What is left out.
enum class Grain : std::uint8_t {
  sentences,
  words,
  both,  // sentences for half of what is to go, words for the rest
};

/// Tokens are small's.
struct CompressorOptions {
  std::optional<double> ratio = {};         // of the tokens stay; one of these two is set
  std::optional<std::int64_t> tokens = {};  // stay
  Grain grain = Grain::sentences;
  std::int64_t from = 0;  // shorter prompts are left as they are
};

/// Counts are of the messages that may be shortened: those of users and tools.
struct Shortened {
  Request request;
  std::int64_t tokens_before = 0, tokens_after = 0;
  std::int64_t budget = 0;
  int sentences = 0, sentences_out = 0, words_out = 0;
};

/// Safe to use from any thread.
class PromptCompressor {
 public:
  PromptCompressor(const std::shared_ptr<model::LocalModel>& small,
                   const CompressorOptions& options);

  /// The request with its messages of users and tools shortened to the budget, as far as allowed by
  /// what must stay (prompt_parts.h), and their fences taken out. Adds a step with the role
  /// "compress" for each time that small is asked. Fails as small does.
  awaitable<Result<Shortened>> shorten(Request request, Turn& turn) const;

 private:
  struct Draft;
  awaitable<Result<Shortened>> shorten_here(Request request, Turn& turn) const;
  Result<Draft> read(const Request& request) const;
  std::int64_t budget(std::int64_t tokens) const;
  awaitable<Result<void>> drop_sentences(Draft& draft, std::int64_t budget, Turn& turn) const;
  awaitable<Result<void>> drop_words(Draft& draft, std::int64_t budget, Turn& turn) const;

  const Surprise surprise_;
  const Relevance relevance_;
  const WordSurprise word_surprise_;
  const CompressorOptions options_;
};

/// The request with the fences of its messages taken out and nothing else changed.
Request without_fences(Request request);

}  // namespace lichen::mechanisms
