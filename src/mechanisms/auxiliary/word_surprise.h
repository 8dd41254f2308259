// How surprising the words of a text are to a local small model where they stand (LLMLingua, arXiv
// 2310.05736).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lichen/result.h"
#include "lichen/turn.h"
#include "mechanisms/auxiliary/surprise.h"

namespace lichen::mechanisms {

struct SurpriseOfWord {
  double nats = 0;          // of all its tokens
  std::int64_t tokens = 0;  // that begin in it
};

/// Safe to use from any thread.
class WordSurprise {
 public:
  explicit WordSurprise(Surprise surprise) : surprise_(std::move(surprise)) {}

  /// Of the words of a text, which are given by their bytes and in a row are all of it. A long text
  /// is read in windows side by side, each behind the tokens before it as far as they are context.
  /// Adds a step with the role "compress". Fails as `Surprise::of` does.
  awaitable<Result<std::vector<SurpriseOfWord>>> of(std::string text,
                                                    std::vector<std::size_t> words,
                                                    Turn& turn) const;

 private:
  const Surprise surprise_;
};

}  // namespace lichen::mechanisms
