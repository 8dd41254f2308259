// Letters without their case, byte for byte, so that places in a folded text are places in the
// text.
#pragma once

#include <cstddef>
#include <string_view>

namespace lichen::privacy {

/// Lower case in place of upper, for Latin (ASCII, Latin-1, Extended-A), Greek and Cyrillic letters
/// whose two forms have as many bytes; all else stays. `out` has room for `text.size()` bytes and
/// may be `text` itself. Ill-formed UTF-8 is passed over.
void fold_case(std::string_view text, char* out);

/// Whether a word could end at byte `at` of `text`, that is, whether no word goes on across it.
/// Letters, digits and `_` make words; scripts that put no blanks between words (from U+0E00 on:
/// Thai, Chinese, Japanese, and others) end anywhere.
bool word_edge(std::string_view text, std::size_t at);

}  // namespace lichen::privacy
