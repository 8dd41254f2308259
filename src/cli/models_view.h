// What GGUF files say of themselves, and how two vocabularies compare. Pure functions.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cli/terminal.h"
#include "model/gguf_file.h"

namespace lichen::cli {

/// A vocabulary in the order of token ids, each token in its tokenizer's own spelling.
struct TokenList {
  std::string tokenizer;  // "gpt2", "llama", ...
  std::span<const std::string> tokens;
};

struct Overlap {
  std::uint64_t tokens_a = 0;
  std::uint64_t tokens_b = 0;
  std::uint64_t same_ids = 0;  // ids that mean the same text in both
  std::uint64_t pieces_a = 0;  // distinct texts
  std::uint64_t pieces_b = 0;
  std::uint64_t shared_pieces = 0;

  bool same_vocabulary() const { return same_ids == tokens_a && same_ids == tokens_b; }
  double id_share() const;     // of the larger vocabulary, 0 to 1
  double piece_share() const;  // of the vocabulary that has less in common with the other
};

Overlap compare_vocabularies(const TokenList& a, const TokenList& b);

/// The text that a token stands for: "Ġthe" (gpt2) and "▁the" (llama) are both " the", "<0x0A>" is
/// a line feed.
std::string token_text(std::string_view tokenizer, std::string_view token);

/// Whether `speculate` could draft with one vocabulary for a target of the other, and why.
std::string speculation_in_words(const Overlap& overlap);

std::string info_text(const model::GgufInfo& info, std::string_view file, const Terminal& terminal);
boost::json::object to_json(const model::GgufInfo& info, std::string_view file);

std::string overlap_text(const Overlap& overlap);
boost::json::object to_json(const Overlap& overlap);

}  // namespace lichen::cli
