// What a GGUF file says of itself, read by our own code and checked before libllama opens the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lichen/result.h"

namespace lichen::model {

/// Text that comes from the file is made printable: valid UTF-8 without control characters. Numbers
/// that the file does not give are 0, texts empty.
struct GgufInfo {
  std::uint32_t version = 0;     // of the format: 2 or 3
  std::uint64_t file_bytes = 0;  // of all parts together
  int parts = 1;                 // files that a split model consists of

  std::string type;          // general.type: "model", "adapter", "mmproj", ...
  std::string architecture;  // "llama"
  std::string name;
  std::string file_type;  // the quantization recipe: "Q4_K_M"; else the type of most bytes

  std::uint64_t parameters = 0;
  std::uint64_t tensors = 0;
  struct Share {
    std::uint64_t tensors = 0;
    std::uint64_t parameters = 0;
    std::uint64_t bytes = 0;
  };
  std::map<std::string, Share> shares = {};  // by tensor type: "q8_0"

  std::uint32_t context_length = 0;  // tokens that the model was trained for
  std::uint32_t embedding_length = 0;
  std::uint32_t block_count = 0;

  std::uint64_t vocabulary = 0;  // tokens
  /// "gpt2", "llama", ...; empty, "none" or "no_vocab" when there is no tokenizer: such a model can
  /// be opened, but libllama aborts when it is given text.
  std::string tokenizer;
  std::string pre_tokenizer;
  std::string chat_template;  // as it stands in the file

  std::string adapter_type;  // "lora"; of adapters only
  std::optional<float> adapter_lora_alpha = {};

  std::map<std::string, std::string> metadata = {};  // every key; arrays as "[f32 x 49152]"
};

/// Reads and checks the header of `path`, and of the other parts when it is the first part of a
/// split model. Nothing in a file is trusted: sizes, counts and offsets are held against the file's
/// length, and what would make libllama abort, hang or exhaust memory is refused (gguf/rules.h
/// lists it). Takes milliseconds: tensor data are not touched. Every error is `bad_model`, names
/// the file and says what would be right. Safe from any thread; the file must not be truncated by
/// others meanwhile (it is mapped).
Result<GgufInfo> inspect_gguf(const std::filesystem::path& path);

/// The vocabulary in the order of token ids, as bytes in the tokenizer's own spelling. Empty when
/// the file has none.
Result<std::vector<std::string>> read_gguf_tokens(const std::filesystem::path& path);

}  // namespace lichen::model
