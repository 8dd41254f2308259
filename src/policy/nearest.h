// "Did you mean ...?"
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lichen::policy {

/// The candidate that `word` is likely a slip of (one edit for each three letters, letter case not
/// counted), or an empty string.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// " (did you mean `x`?)", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// "`a`, `b`, `c`"; at most 20 of them, then how many more.
std::string list(std::span<const std::string> words);

}  // namespace lichen::policy
