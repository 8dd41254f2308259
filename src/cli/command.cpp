#include "cli/command.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "cli/terminal.h"

namespace lichen::cli {

int exit_status(const Error& error) {
  switch (error.code) {
    case Errc::cancelled: return kCancelled;
    case Errc::bad_config:
    case Errc::bad_request:
    case Errc::not_found: return kUsage;
    default: return kFailed;
  }
}

int report_error(const Error& error) {
  const auto err = Terminal::of(stderr);
  err.write(err.styled("lichen: ", Style::red) + err.harmless(error.detail) + "\n");
  return exit_status(error);
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

Result<void> write_output(const std::string& file, const std::string& text) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(
      file == "-" ? nullptr : std::fopen(file.c_str(), "w"),
      [](std::FILE* f) { return f == nullptr ? 0 : std::fclose(f); });
  std::FILE* const out = file == "-" ? stdout : opened.get();
  const bool written = out != nullptr &&
                       std::fwrite(text.data(), 1, text.size(), out) == text.size() &&
                       std::fputc('\n', out) != EOF && std::fflush(out) == 0;
  if (written) return {};
  return fail(Errc::storage, (file == "-" ? "stdout" : file) +
                                 " cannot be written: " + std::generic_category().message(errno));
}

}  // namespace lichen::cli
