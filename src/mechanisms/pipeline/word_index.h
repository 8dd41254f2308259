// Which words stand in which chunks of a document: to skip chunks that cannot say anything to a
// job.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mechanisms/pipeline/document_chunks.h"

namespace lichen::mechanisms {

/// Hashes of the words of a text: runs of letters and digits, ASCII's capitals as small letters;
/// bytes beyond ASCII count as letters. Only those of `least` bytes, or with a digit. Sorted, each
/// once.
std::vector<std::uint64_t> words_of(std::string_view text, std::size_t least = 1);

/// Words by their hashes; keeps no text.
class WordIndex {
 public:
  WordIndex(std::string_view document, std::span<const Span> chunks);

  /// For each chunk, whether it holds a word of `text` that is rare: that stands in the document,
  /// but in no more than `share` of its chunks. All chunks where the text has no such word.
  std::vector<bool> chunks_with_rare_words(std::string_view text, double share) const;

 private:
  std::vector<std::vector<std::uint64_t>> words_;          // by chunk
  std::unordered_map<std::uint64_t, std::size_t> chunks_;  // how many a word stands in
};

}  // namespace lichen::mechanisms
