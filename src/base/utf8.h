// UTF-8: what is valid, and where a stream may be cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lichen::base {

/// Whether `text` is well-formed UTF-8 (Unicode 15, table 3-7).
bool valid_utf8(std::string_view text);

/// Bytes of `text` in front of the first that is not well-formed; all where it is valid.
std::size_t valid_utf8_prefix(std::string_view text);

/// Unicode code points of valid UTF-8.
std::int64_t count_characters(std::string_view text);

/// Length of the longest prefix of `text` that does not end inside a character which later bytes
/// could complete. Bytes that no continuation can make valid count as complete.
std::size_t complete_utf8_prefix(std::string_view text);

/// `text` with each maximal ill-formed part replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view text);

}  // namespace lichen::base
