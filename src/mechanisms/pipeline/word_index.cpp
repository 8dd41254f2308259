#include "mechanisms/pipeline/word_index.h"

#include <algorithm>

#include "base/ascii.h"

namespace lichen::mechanisms {
namespace {

constexpr std::uint64_t kSeed = 0xcbf29ce484222325u;  // FNV-1a
constexpr std::uint64_t kPrime = 0x100000001b3u;

/// What a byte adds to a word: itself, as a small letter; 0 where it ends one.
unsigned char letter(char c) {
  const bool part = base::is_alphanumeric(c) || (c & 0x80) != 0;
  return part ? static_cast<unsigned char>(base::to_lower(c)) : 0;
}

}  // namespace

std::vector<std::uint64_t> words_of(std::string_view text, std::size_t least) {
  std::vector<std::uint64_t> words;
  std::uint64_t word = kSeed;
  std::size_t length = 0;
  bool digit = false;
  const auto end = [&] {
    if (length > 0 && (length >= least || digit)) words.push_back(word);
    word = kSeed;
    length = 0;
    digit = false;
  };
  for (const char c : text) {
    const unsigned char part = letter(c);
    if (part == 0) {
      end();
      continue;
    }
    word = (word ^ part) * kPrime;
    ++length;
    digit |= part >= '0' && part <= '9';
  }
  end();
  std::ranges::sort(words);
  words.erase(std::ranges::unique(words).begin(), words.end());
  return words;
}

WordIndex::WordIndex(std::string_view document, std::span<const Span> chunks) {
  words_.reserve(chunks.size());
  for (const Span& chunk : chunks) {
    for (const std::uint64_t word : words_.emplace_back(words_of(chunk.of(document)))) {
      ++chunks_[word];
    }
  }
}

std::vector<bool> WordIndex::chunks_with_rare_words(std::string_view text, double share) const {
  std::vector<std::uint64_t> rare;
  for (const std::uint64_t word : words_of(text)) {
    const auto found = chunks_.find(word);
    if (found == chunks_.end()) continue;
    const auto most = share * static_cast<double>(words_.size());
    if (static_cast<double>(found->second) <= most) rare.push_back(word);
  }
  std::vector<bool> holds(words_.size(), rare.empty());
  for (std::size_t i = 0; i < words_.size() && !rare.empty(); ++i) {
    holds[i] = std::ranges::any_of(rare, [&words = words_[i]](std::uint64_t word) {
      return std::ranges::binary_search(words, word);
    });
  }
  return holds;
}

}  // namespace lichen::mechanisms
