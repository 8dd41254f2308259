// Errors while a GGUF file is read: texts, with what comes from the file made fit to be shown.
#pragma once

#include <expected>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "base/utf8.h"

namespace lichen::model::gguf {

/// An error here is its text; the path is put before it at the end.
template <class T>
using Checked = std::expected<T, std::string>;

template <class... Parts>
std::unexpected<std::string> bad(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return std::unexpected(std::move(text).str());
}

/// Valid UTF-8 without control characters.
inline std::string printable(std::string_view text) {
  std::string clean = base::replace_invalid_utf8(text);
  for (char& c : clean) {
    if ((c >= 0 && c < ' ') || c == '\x7F') c = ' ';
  }
  return clean;
}

/// A name from the file, fit for an error message.
inline std::string quoted(std::string_view name) {
  constexpr std::size_t kLongest = 80;
  if (name.size() <= kLongest) return "'" + printable(name) + "'";
  return "'" + printable(name.substr(0, base::complete_utf8_prefix(name.substr(0, kLongest)))) +
         "...'";
}

}  // namespace lichen::model::gguf
