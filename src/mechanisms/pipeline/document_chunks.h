// A document in chunks that a small model can read one at a time.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace lichen::mechanisms {

/// A part of a text, in bytes.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
  friend bool operator==(const Span&, const Span&) = default;
};

/// Chunks of at most `most` bytes (8 at least), in order, that together hold all of `document`.
/// Each but the first begins up to `overlap` bytes (at most half of `most`) before the end of the
/// one in front of it. Both are cut behind lines and sentences where they end in time, else behind
/// blanks, else between characters. None of an empty text.
std::vector<Span> chunks_of(std::string_view document, std::size_t most, std::size_t overlap);

/// The sentences (and lines) of a part of a text.
std::vector<Span> sentences_of(std::string_view text, Span part);

/// The page, from 1 on, on which the byte at `at` stands: pages begin behind form feeds. 0 where
/// the document has none.
int page_of(std::string_view document, std::size_t at);

}  // namespace lichen::mechanisms
