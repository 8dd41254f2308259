#include "cli/prompt.h"

#include <array>

#include "base/utf8.h"

namespace lichen::cli {
namespace {

constexpr std::size_t kMaxPipedBytes = 64u << 20;

/// All of `stream` without the line feeds at its end.
Result<std::string> read_all(std::istream& stream) {
  std::string text;
  std::array<char, 65'536> block;
  while (text.size() <= kMaxPipedBytes && stream.read(block.data(), block.size()).gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (text.size() > kMaxPipedBytes) {
    return fail(Errc::bad_request, "the prompt on stdin has over 64 MiB");
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

Result<std::string> read_prompt(const std::string& given, std::istream* piped) {
  std::string prompt = given == "-" ? "" : given;
  if (piped != nullptr) {
    auto text = read_all(*piped);
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

}  // namespace lichen::cli
