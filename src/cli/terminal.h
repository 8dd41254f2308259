// Where the CLI writes: whether colour is welcome, how wide the window is, and text made harmless
// for a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace lichen::cli {

enum class Style : std::uint8_t { plain, bold, dim, red, green, yellow, blue, magenta, cyan };

/// Colour only on a terminal that knows it, and not where the user said no (no-color.org: the
/// variable is set and not empty). Null stands for an unset variable.
bool wants_colour(bool interactive, const char* no_color, const char* term);

/// A stream of ours. A value; writing from several threads interleaves whole calls.
struct Terminal {
  std::FILE* file = stdout;
  bool interactive = false;  // a person sees it, rather than a pipe or a file
  bool colour = false;
  int width = 80;  // columns

  static Terminal of(std::FILE* file);

  /// `text` in a style, or as it is where colour is not welcome.
  std::string styled(std::string_view text, Style style) const;
  /// Writes and flushes.
  void write(std::string_view text) const;
  /// `text` as it may be written here: on a terminal control characters (all but line feed and
  /// tab) become U+FFFD, so that no model's answer can move the cursor or set the title.
  std::string harmless(std::string_view text) const;
};

/// Columns that `text` takes: its characters, of which styles take none. East Asian wide characters
/// count as one.
std::size_t display_width(std::string_view text);

}  // namespace lichen::cli
