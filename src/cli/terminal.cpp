#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace lichen::cli {
namespace {

constexpr std::string_view kReset = "\x1b[0m";

std::string_view code(Style style) {
  switch (style) {
    case Style::plain: return "";
    case Style::bold: return "\x1b[1m";
    case Style::dim: return "\x1b[2m";
    case Style::red: return "\x1b[31m";
    case Style::green: return "\x1b[32m";
    case Style::yellow: return "\x1b[33m";
    case Style::blue: return "\x1b[34m";
    case Style::magenta: return "\x1b[35m";
    case Style::cyan: return "\x1b[36m";
  }
  return "";
}

int width_of(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return std::max<int>(size.ws_col, 20);
}

}  // namespace

bool wants_colour(bool interactive, const char* no_color, const char* term) {
  if (!interactive || (no_color != nullptr && *no_color != '\0')) return false;
  return term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

Terminal Terminal::of(std::FILE* file) {
  Terminal terminal{.file = file};
  const int descriptor = fileno(file);
  terminal.interactive = isatty(descriptor) == 1;
  terminal.colour =
      wants_colour(terminal.interactive, std::getenv("NO_COLOR"), std::getenv("TERM"));
  if (terminal.interactive) terminal.width = width_of(descriptor);
  return terminal;
}

std::string Terminal::styled(std::string_view text, Style style) const {
  if (!colour || style == Style::plain || text.empty()) return std::string(text);
  std::string out(code(style));
  out += text;
  out += kReset;
  return out;
}

void Terminal::write(std::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

std::string Terminal::harmless(std::string_view text) const {
  if (!interactive) return std::string(text);
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      out += kReplacement;
    } else if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // U+0080 to U+009F
      out += kReplacement;
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && text[i] != 'm') ++i;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++width;
    }
  }
  return width;
}

}  // namespace lichen::cli
