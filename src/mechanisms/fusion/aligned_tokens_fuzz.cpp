// libFuzzer: an answer that two models of vocabularies of any kind write together, as each keeps it
// in tokens of its own. A byte of the input is a choice, or a byte of a piece.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mechanisms/fusion/aligned_tokens.h"
#include "mechanisms/fusion/test_vocabulary.h"

namespace lichen::mechanisms {
namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

/// Zeros once the input is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t next = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return next;
  }
  std::string text(std::size_t most) {
    std::string text;
    for (std::size_t size = byte() % (most + 1); size > 0; --size)
      text += static_cast<char>(byte());
    return text;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// With all bytes, or without, so that not everything can be spelt; with a blank put in front, or
/// without.
TestVocabulary vocabulary_of(Input& input) {
  const std::uint8_t kind = input.byte();
  std::vector<std::string> pieces;
  for (std::size_t count = kind % 16; count > 0; --count) {
    std::string piece = input.text(6);
    if (!piece.empty()) pieces.push_back(std::move(piece));
  }
  if (kind >= 64) pieces = bytes_and(pieces);
  TestVocabulary vocabulary(std::move(pieces));
  vocabulary.blank_in_front = kind % 2 == 0 && vocabulary.token_of(" ") >= 0;
  return vocabulary;
}

struct Reader {
  explicit Reader(Input& input) : vocabulary(vocabulary_of(input)) {}

  /// Whether it can be spelt. What may be, must be right.
  bool append(std::string_view piece, Token own) {
    const std::string text = aligned.text();
    const std::vector<Token> before(aligned.tokens().begin(), aligned.tokens().end());
    const auto stand = aligned.append(piece, own);
    const auto after = aligned.tokens();
    require(aligned.text() == (stand ? text + std::string(piece) : text));
    require(text_of(vocabulary, after) == aligned.text());
    const std::size_t same = stand.value_or(before.size());
    require(same <= before.size() && same <= after.size());
    for (std::size_t i = 0; i < same; ++i) require(before[i] == after[i]);
    if (stand && !piece.empty()) require(same < after.size());
    return stand.has_value();
  }

  const TestVocabulary vocabulary;
  const Spelling spelling{vocabulary};
  AlignedTokens aligned{spelling};
};

}  // namespace
}  // namespace lichen::mechanisms

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lichen::mechanisms;
  Input input(data, size);
  Reader readers[] = {Reader(input), Reader(input)};
  while (!input.empty()) {
    const std::uint8_t choice = input.byte();
    Reader& author = readers[choice % 2];
    Reader& other = readers[1 - choice % 2];
    // A token of the author's, or bytes from elsewhere.
    std::string piece = choice % 4 < 2 ? input.text(6) : "";
    lichen::Token own = -1;
    if (choice % 4 >= 2) {
      own = static_cast<lichen::Token>(input.byte() % author.vocabulary.size());
      piece = author.vocabulary.piece(own);
      if (piece.empty()) continue;  // the end is no piece
    }
    if (!author.append(piece, own) || !other.append(piece, -1)) return 0;
    require(author.aligned.text() == other.aligned.text());
  }
  return 0;
}
