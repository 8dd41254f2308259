#include "model/gguf_file.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "model/gguf/reader.h"
#include "model/gguf/rules.h"
#include "model/gguf/typed.h"

namespace lichen::model {

using namespace gguf;

namespace {

/// A model's header, that of all its parts together, and what keeps it readable.
struct Gguf {
  std::vector<Mapping> parts;
  Header header;
  std::uint64_t bytes = 0;
};

/// "model-00001-of-00003.gguf" and 2: "model-00003-of-00003.gguf". Empty when `first` is not named
/// like that.
std::filesystem::path part_path(const std::filesystem::path& first, int index, int count) {
  const auto suffix = [count](int i) {
    const auto five = [](int n) {
      const std::string digits = std::to_string(n);
      return std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
    };
    return "-" + five(i + 1) + "-of-" + five(count) + ".gguf";
  };
  std::string name = first.string();
  if (!name.ends_with(suffix(0))) return {};
  name.resize(name.size() - suffix(0).size());
  return name + suffix(index);
}

Error file_error(const std::filesystem::path& path, const std::string& why) {
  return {Errc::bad_model, printable(path.string()) + ": " + why};
}

Result<void> open_part(const std::filesystem::path& path, Gguf& gguf) {
  Checked<Mapping> mapping = Mapping::open(path);
  if (!mapping) return std::unexpected(file_error(path, mapping.error()));
  Checked<Header> header = read_header(mapping->bytes());
  if (!header) return std::unexpected(file_error(path, header.error()));
  gguf.bytes += mapping->bytes().size();
  if (gguf.parts.empty()) {
    gguf.header = std::move(*header);
  } else {
    const Value* number = header->find("split.no");
    if (number == nullptr || !number->is(Kind::u16) ||
        number->at<std::uint16_t>() != gguf.parts.size()) {
      return std::unexpected(file_error(path, "is not part " +
                                                  std::to_string(gguf.parts.size() + 1) +
                                                  " of its model: split.no says otherwise"));
    }
    std::ranges::move(header->tensors, std::back_inserter(gguf.header.tensors));
  }
  gguf.parts.push_back(std::move(*mapping));
  return {};
}

Result<Gguf> open_gguf(const std::filesystem::path& path) {
  Gguf gguf;
  if (Result<void> first = open_part(path, gguf); !first) return std::unexpected(first.error());
  const Value* split = gguf.header.find("split.count");
  if (split == nullptr) return gguf;
  if (!split->is(Kind::u16)) return std::unexpected(file_error(path, "split.count must be u16"));
  const int count = split->at<std::uint16_t>();
  if (count <= 1) return gguf;
  const Value* number = gguf.header.find("split.no");
  if (number == nullptr || !number->is(Kind::u16) || number->at<std::uint16_t>() != 0 ||
      part_path(path, 0, count).empty()) {
    return std::unexpected(file_error(
        path,
        "belongs to a model of " + std::to_string(count) +
            " parts; name the first one, whose name must end in \"-00001-of-" +
            std::string("0000").substr(std::min<std::size_t>(4, std::to_string(count).size() - 1)) +
            std::to_string(count) + ".gguf\""));
  }
  for (int i = 1; i < count; ++i) {
    if (Result<void> part = open_part(part_path(path, i, count), gguf); !part) {
      return std::unexpected(part.error());
    }
  }
  return gguf;
}

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

Result<GgufInfo> inspect_gguf(const std::filesystem::path& path) {
  const Result<Gguf> gguf = open_gguf(path);
  if (!gguf) return std::unexpected(gguf.error());
  if (Checked<void> fit = check_for_libllama(gguf->header, gguf->bytes); !fit) {
    return std::unexpected(file_error(path, fit.error()));
  }
  Checked<GgufInfo> info = describe(*gguf);
  if (!info) return std::unexpected(file_error(path, info.error()));
  return std::move(*info);
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
