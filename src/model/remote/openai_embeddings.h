// Embeddings in an endpoint's reply.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "lichen/answerer.h"
#include "model/remote/openai_error.h"

namespace lichen::model {

struct EmbeddingReply {
  Embeddings vectors;  // of unit length, in the order of the texts
  std::optional<std::int64_t> prompt_tokens;
};

/// Checks that there is one vector for each of `count` texts, all of one width, of finite numbers.
std::expected<EmbeddingReply, Failure> read_embeddings(std::string_view json, std::size_t count,
                                                       const ErrorContext& context);

}  // namespace lichen::model
