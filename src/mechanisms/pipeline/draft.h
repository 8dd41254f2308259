// Of whom and of how many tokens the parts of a draft are that stand in another answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

/// Who wrote most of it; empty where that is not told.
std::string main_author(const Answer& draft);

/// How many of `tokens` tokens, which have `of` bytes, are in `bytes` of these: as many as their
/// share, one at least.
std::int64_t share_of_tokens(std::int64_t tokens, std::size_t bytes, std::size_t of);

/// Tokens of the draft's first `bytes` bytes: counted, or their share where they are not told.
std::int64_t tokens_before(const Answer& draft, std::size_t bytes);

}  // namespace lichen::mechanisms
