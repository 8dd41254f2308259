#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "model/gguf/reader.h"
#include "model/gguf/rules.h"
#include "model/gguf/typed.h"

namespace lichen::model::gguf {

namespace {

/// Compares tokens by libllama's view of them: up to the first NUL, empty ones under a name of
/// their own.
Checked<void> check_distinct(const std::vector<std::string_view>& tokens) {
  struct Text {
    std::uint64_t head;  // the first bytes, so that most comparisons need not follow the pointer
    std::string_view text;
    bool operator<(const Text& other) const {
      return head != other.head ? head < other.head : text < other.text;
    }
  };
  const auto seen = [](std::string_view token) { return token.substr(0, token.find('\0')); };
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(
      std::ranges::count_if(tokens, [&](std::string_view token) { return seen(token).empty(); })));
  std::vector<Text> texts;
  texts.reserve(tokens.size());
  for (std::string_view token : tokens) {
    token = seen(token);
    if (token.empty()) token = names.emplace_back("[EMPTY_" + std::to_string(texts.size()) + "]");
    std::uint64_t head = 0;
    std::memcpy(&head, token.data(), std::min(token.size(), sizeof(head)));
    texts.push_back({head, token});
  }
  std::sort(texts.begin(), texts.end());  // not hashed: a file could be made to collide
  for (std::size_t i = 1; i < texts.size(); ++i) {
    if (texts[i].text == texts[i - 1].text) {
      return bad("has the token ", quoted(texts[i].text), " twice; tokens must be distinct");
    }
  }
  return {};
}

/// A token of an `rwkv` vocabulary as bytes: \t, \n, \r, \xHH, and any other character as it is.
std::string unescaped_rwkv(std::string_view token) {
  const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  std::string bytes;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '\\' || i + 1 == token.size()) {
      if (token[i] != '\\') bytes += token[i];
      continue;
    }
    switch (token[++i]) {
      case 't': bytes += '\t'; break;
      case 'n': bytes += '\n'; break;
      case 'r': bytes += '\r'; break;
      case 'x':
        if (i + 2 < token.size()) {
          bytes += static_cast<char>(digit(token[i + 1]) * 16 + digit(token[i + 2]));
        }
        i += 2;
        break;
      default: bytes += token[i];
    }
  }
  return bytes;
}

Checked<void> check_rwkv(const std::vector<std::string_view>& tokens) {
  std::array<bool, 256> begins = {}, whole = {};
  for (const std::string_view token : tokens) {
    const std::string bytes = unescaped_rwkv(token);
    if (bytes.empty()) continue;
    const auto first = static_cast<unsigned char>(bytes[0]);
    begins[first] = true;
    if (bytes.size() == 1) whole[first] = true;
  }
  for (std::size_t byte = 0; byte < begins.size(); ++byte) {
    if (begins[byte] && !whole[byte]) {
      return bad("the byte ", byte,
                 " begins tokens but is no token itself, so text with it cannot ",
                 "be split by the 'rwkv' tokenizer");
    }
  }
  return {};
}

/// Tokens that the tokenizer adds by itself must exist. libllama falls back to a default id when
/// the file's is out of range, and to none when that is out of range as well.
void check_added_tokens(Typed& typed, std::string_view model, std::uint64_t tokens) {
  struct Added {
    const char* name;
    const char* id_key;
    const char* add_key;  // null: cannot be switched off
    bool by_default;
    std::optional<std::uint32_t> fallback;
  };
  std::vector<Added> all;
  constexpr const char* kBosId = "tokenizer.ggml.bos_token_id";
  constexpr const char* kEosId = "tokenizer.ggml.eos_token_id";
  constexpr const char* kAddBos = "tokenizer.ggml.add_bos_token";
  constexpr const char* kAddEos = "tokenizer.ggml.add_eos_token";
  if (model == "llama") {
    all = {{"BOS", kBosId, kAddBos, true, 1}, {"EOS", kEosId, kAddEos, false, 2}};
  } else if (model == "bert") {
    // Misspelt in the format.
    all = {{"BOS", kBosId, nullptr, true, 101},
           {"SEP", "tokenizer.ggml.seperator_token_id", nullptr, true, 102}};
  } else if (model == "t5") {
    all = {{"BOS", kBosId, kAddBos, false, {}}, {"EOS", kEosId, kAddEos, true, 1}};
  } else if (model == "gemma4") {
    all = {{"BOS", kBosId, nullptr, true, {}}, {"EOS", kEosId, kAddEos, false, {}}};
  } else if (model == "gpt2" || model == "hybriddna" || model == "whitespace") {
    // Whether by default depends on the pre-tokenizer; the fallback exists in any real vocabulary.
    all = {{"BOS", kBosId, kAddBos, true, 11}, {"EOS", kEosId, kAddEos, true, 11}};
  }
  for (const Added& added : all) {
    const bool add = added.add_key == nullptr
                         ? added.by_default
                         : typed.flag(added.add_key).value_or(added.by_default);
    const std::optional<std::uint32_t> id = typed.u32(added.id_key);
    const bool exists = (id && *id < tokens) || (added.fallback && *added.fallback < tokens);
    typed.require(!add || exists, "the tokenizer adds a ", added.name,
                  " token to each prompt, but ", added.id_key,
                  id ? " is " + std::to_string(*id) : std::string(" is missing"),
                  " in a vocabulary of ", tokens);
  }
}

bool has_tokenizer(std::string_view model) {
  return !model.empty() && model != "none" && model != "no_vocab";
}

}  // namespace

Checked<void> check_tokenizer(const Header& header, const std::string& arch,
                              std::uint64_t file_bytes) {
  constexpr std::int32_t kByteToken = 6;
  Typed typed(header);
  const std::string_view model = typed.text("tokenizer.ggml.model");
  if (!has_tokenizer(model)) {
    // libllama makes up as many tokens as this says.
    const std::uint32_t size = typed.u32(arch + ".vocab_size").value_or(0);
    typed.require(size <= std::min(kMaxTokens, file_bytes), arch, ".vocab_size is ", size,
                  ", more than the file can hold");
    return typed.done();
  }
  const Value* list = header.find("tokenizer.ggml.tokens");
  if (list == nullptr || !list->is_array_of(Kind::string)) {
    return bad("has a tokenizer (", quoted(model), ") but tokenizer.ggml.tokens is ",
               list == nullptr ? "missing" : list->type_name(), "; it must be an array of strings");
  }
  if (list->count == 0 || list->count > kMaxTokens) {
    return bad("has ", list->count, " tokens; 1 to ", kMaxTokens, " are supported");
  }
  for (const char* key : {"tokenizer.ggml.token_type", "tokenizer.ggml.scores"}) {
    const Value* values = header.find(key);
    if (values == nullptr) continue;
    const bool types = std::string_view(key).ends_with("type");
    if (!values->is_array_of(Kind::i32) && (types || !values->is_array_of(Kind::f32))) {
      return bad(key, " is of type ", values->type_name(), "; it must be an array of ",
                 types ? "i32" : "f32 or i32");
    }
    if (values->count < list->count) {
      return bad(key, " has ", values->count, " values for ", list->count,
                 " tokens; there must be one for each");
    }
    for (std::uint64_t i = 0; types && model == "bert" && i < list->count; ++i) {
      if (values->at<std::int32_t>(i) == kByteToken) {
        return bad("token ", i, " of a 'bert' vocabulary is a byte token, which it cannot have");
      }
    }
  }
  const std::vector<std::string_view> tokens = strings(*list);
  if (Checked<void> distinct = check_distinct(tokens); !distinct) return distinct;
  if (model == "rwkv") {
    if (Checked<void> rwkv = check_rwkv(tokens); !rwkv) return rwkv;
  }
  check_added_tokens(typed, model, list->count);
  return typed.done();
}

}  // namespace lichen::model::gguf
