#include "mechanisms/pipeline/document_chunks.h"

#include <algorithm>
#include <cassert>

#include "base/utf8.h"

namespace lichen::mechanisms {
namespace {

bool blank(char c) { return c == ' ' || c == '\t'; }
bool line_end(char c) { return c == '\n' || c == '\f'; }

/// Whether a sentence or line ends in front of `at`, its white space before it.
bool border(std::string_view text, std::size_t at) {
  if (at == 0 || at == text.size() || line_end(text[at - 1])) return true;
  if (at < 2 || !blank(text[at - 1])) return false;
  const char before = text[at - 2];
  return before == '.' || before == '!' || before == '?';
}

/// Where a chunk from `begin` on ends, behind its half.
std::size_t chunk_end(std::string_view text, std::size_t begin, std::size_t most) {
  if (text.size() - begin <= most) return text.size();
  std::size_t behind_blank = 0;
  for (std::size_t at = begin + most; at > begin + most / 2; --at) {
    if (border(text, at)) return at;
    if (behind_blank == 0 && blank(text[at - 1])) behind_blank = at;
  }
  if (behind_blank > 0) return behind_blank;
  const std::size_t whole = base::complete_utf8_prefix(text.substr(begin, most));
  return begin + (whole > 0 ? whole : most);
}

/// Where the chunk behind one that ends at `end` begins.
std::size_t next_begin(std::string_view text, std::size_t end, std::size_t overlap) {
  std::size_t behind_blank = end;
  for (std::size_t at = end - overlap; at < end; ++at) {
    if (border(text, at)) return at;
    if (behind_blank == end && blank(text[at - 1])) behind_blank = at;
  }
  return behind_blank;
}

}  // namespace

std::vector<Span> chunks_of(std::string_view document, std::size_t most, std::size_t overlap) {
  assert(most >= 8 && overlap <= most / 2);
  std::vector<Span> chunks;
  std::size_t begin = 0;
  while (begin < document.size()) {
    const std::size_t end = chunk_end(document, begin, most);
    chunks.push_back({.begin = begin, .end = end});
    if (end == document.size()) break;
    begin = next_begin(document, end, std::min(overlap, end - begin - 1));
  }
  return chunks;
}

std::vector<Span> sentences_of(std::string_view text, Span part) {
  std::vector<Span> sentences;
  std::size_t begin = part.begin;
  for (std::size_t at = part.begin + 1; at <= part.end; ++at) {
    if (at < part.end && !border(text, at)) continue;
    Span sentence{.begin = begin, .end = at};
    begin = at;
    const auto white = [](char c) { return blank(c) || line_end(c) || c == '\r'; };
    while (sentence.begin < sentence.end && white(text[sentence.begin])) ++sentence.begin;
    while (sentence.end > sentence.begin && white(text[sentence.end - 1])) --sentence.end;
    if (sentence.begin < sentence.end) sentences.push_back(sentence);
  }
  return sentences;
}

int page_of(std::string_view document, std::size_t at) {
  const auto before = std::ranges::count(document.substr(0, at), '\f');
  const bool has_pages = before > 0 || document.find('\f', at) != std::string_view::npos;
  return has_pages ? static_cast<int>(before) + 1 : 0;
}

}  // namespace lichen::mechanisms
