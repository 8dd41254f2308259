#include "model/gguf_file.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "model/gguf/opened.h"
#include "model/gguf/rules.h"
#include "model/gguf/typed.h"

namespace lichen::model {

using namespace gguf;

namespace {

template <class T>
std::string number_text(T number) {
  char text[64];
  return {text, std::to_chars(text, std::end(text), number).ptr};
}

std::string value_text(const Value& value) {
  if (value.array) {
    return "[" + std::string(facts(value.kind).name) + " x " + std::to_string(value.count) + "]";
  }
  switch (value.kind) {
    case Kind::u8: return number_text(value.at<std::uint8_t>());
    case Kind::i8: return number_text(value.at<std::int8_t>());
    case Kind::u16: return number_text(value.at<std::uint16_t>());
    case Kind::i16: return number_text(value.at<std::int16_t>());
    case Kind::u32: return number_text(value.at<std::uint32_t>());
    case Kind::i32: return number_text(value.at<std::int32_t>());
    case Kind::f32: return number_text(value.at<float>());
    case Kind::boolean: return value.at<std::uint8_t>() != 0 ? "true" : "false";
    case Kind::string: return printable(value.bytes);
    case Kind::u64: return number_text(value.at<std::uint64_t>());
    case Kind::i64: return number_text(value.at<std::int64_t>());
    case Kind::f64: return number_text(value.at<double>());
    case Kind::array: break;
  }
  return {};
}

void count_tensors(const std::vector<Tensor>& tensors, GgufInfo& info) {
  info.tensors = tensors.size();
  for (const Tensor& tensor : tensors) {
    GgufInfo::Share& share = info.shares[std::string(tensor.type->name)];
    ++share.tensors;
    share.parameters += tensor.elements;
    share.bytes += tensor.bytes;
    info.parameters += tensor.elements;
  }
}

std::string file_type_name(const std::optional<std::uint32_t>& number, const GgufInfo& info) {
  if (number && *number < std::size(kFileTypes) && !kFileTypes[*number].empty()) {
    return std::string(kFileTypes[*number]);
  }
  if (info.shares.empty()) return {};
  return std::ranges::max_element(info.shares, {},
                                  [](const auto& share) { return share.second.bytes; })
      ->first;
}

Checked<GgufInfo> describe(const Gguf& gguf) {
  GgufInfo info;
  info.version = gguf.header.version;
  info.file_bytes = gguf.bytes;
  info.parts = static_cast<int>(gguf.parts.size());
  count_tensors(gguf.header.tensors, info);
  for (const auto& [key, value] : gguf.header.values) {
    info.metadata.emplace(printable(key), value_text(value));
  }

  Typed typed(gguf.header);
  const std::string arch(typed.text("general.architecture"));
  const std::string_view type = typed.text("general.type");
  info.type = type.empty() ? "model" : printable(type);
  info.architecture = printable(arch);
  info.name = printable(typed.text("general.name"));
  info.file_type = file_type_name(typed.u32("general.file_type"), info);
  info.context_length = typed.u32(arch + ".context_length").value_or(0);
  info.embedding_length = typed.u32(arch + ".embedding_length").value_or(0);
  info.block_count = typed.u32(arch + ".block_count").value_or(0);
  info.tokenizer = printable(typed.text("tokenizer.ggml.model"));
  info.pre_tokenizer = printable(typed.text("tokenizer.ggml.pre"));
  info.chat_template = typed.text("tokenizer.chat_template");
  if (const Value* tokens = gguf.header.find("tokenizer.ggml.tokens");
      tokens != nullptr && tokens->array) {
    info.vocabulary = tokens->count;
  }
  if (type == "adapter") {
    info.adapter_type = printable(typed.text("adapter.type"));
    info.adapter_lora_alpha = typed.f32("adapter.lora.alpha");
  }
  if (Checked<void> done = typed.done(); !done) return std::unexpected(done.error());
  return info;
}

}  // namespace

Result<GgufInfo> gguf::checked_info(const Gguf& gguf) {
  const std::filesystem::path& path = gguf.paths.front();
  if (Checked<void> fit = check_for_libllama(gguf.header, gguf.bytes); !fit) {
    return std::unexpected(file_error(path, fit.error()));
  }
  Checked<GgufInfo> info = describe(gguf);
  if (!info) return std::unexpected(file_error(path, info.error()));
  return std::move(*info);
}

Result<GgufInfo> inspect_gguf(const std::filesystem::path& path) {
  const Result<Gguf> gguf = open_gguf(path);
  if (!gguf) return std::unexpected(gguf.error());
  return checked_info(*gguf);
}

Result<std::vector<std::string>> read_gguf_tokens(const std::filesystem::path& path) {
  const Result<Gguf> gguf = open_gguf(path);
  if (!gguf) return std::unexpected(gguf.error());
  const Value* list = gguf->header.find("tokenizer.ggml.tokens");
  if (list == nullptr) return std::vector<std::string>();
  if (!list->is_array_of(Kind::string)) {
    return std::unexpected(file_error(path, "tokenizer.ggml.tokens is of type " +
                                                list->type_name() +
                                                "; it must be an array of strings"));
  }
  const std::vector<std::string_view> tokens = strings(*list);
  return std::vector<std::string>(tokens.begin(), tokens.end());
}

}  // namespace lichen::model
