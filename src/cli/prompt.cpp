#include "cli/prompt.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/document.h"
#include "base/utf8.h"

namespace lichen::cli {
namespace {

constexpr std::size_t kMaxBytes = 64u << 20;

/// All of `stream`, or enough of it to be more than kMaxBytes.
std::string read_all(std::istream& stream) {
  std::string text;
  std::array<char, 65'536> block;
  while (text.size() <= kMaxBytes && stream.read(block.data(), block.size()).gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  return text;
}

/// The same without the line feeds at its end.
Result<std::string> read_piped(std::istream& stream) {
  std::string text = read_all(stream);
  if (text.size() > kMaxBytes) {
    return fail(Errc::bad_request, "the prompt on stdin has over 64 MiB");
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

Result<std::string> read_prompt(const std::string& given, std::istream* piped) {
  std::string prompt = given == "-" ? "" : given;
  if (piped != nullptr) {
    auto text = read_piped(*piped);
    if (!text) return text;
    if (!prompt.empty() && !text->empty()) prompt += "\n\n";
    prompt += *text;
  }
  if (prompt.empty()) {
    return fail(Errc::bad_request,
                "no prompt: write it after `run`, or pipe it in; `lichen run --help` shows how");
  }
  if (!base::valid_utf8(prompt)) return fail(Errc::bad_request, "the prompt is not UTF-8");
  return prompt;
}

Result<std::string> read_document(const std::string& file, std::istream& piped) {
  std::string text;
  if (file == "-") {
    text = read_all(piped);
  } else {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return fail(Errc::not_found, file + ": " + std::strerror(errno));
    text = read_all(stream);
    if (stream.bad()) return fail(Errc::not_found, file + ": cannot be read");
  }
  const std::string name = file == "-" ? "stdin" : file;
  if (text.size() > kMaxBytes) {
    return fail(Errc::too_large, name + ": a document has at most 64 MiB");
  }
  if (auto good = base::check_document(text); !good) {
    return fail(good.error().code, name + ": " + good.error().detail);
  }
  return text;
}

}  // namespace lichen::cli
