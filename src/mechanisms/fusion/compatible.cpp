#include "mechanisms/fusion/compatible.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "model/gguf/checked.h"
#include "model/tensor_codec.h"

namespace lichen::mechanisms {

namespace {

using model::WeightsFile;
using model::gguf::Kind;
using model::gguf::Tensor;
using model::gguf::Value;

std::unexpected<Error> differs(const WeightsFile& base, const WeightsFile& other,
                               const std::string& how) {
  return fail(Errc::bad_model, model::gguf::printable(other.path().string()) +
                                   " cannot be merged with " +
                                   model::gguf::printable(base.path().string()) + ": " + how);
}

Result<void> check_architecture(const WeightsFile& base, const WeightsFile& other) {
  if (base.info().type == "adapter") {
    return fail(Errc::bad_model, model::gguf::printable(base.path().string()) +
                                     " is an adapter; name it in a recipe of the method lora");
  }
  if (other.info().type != base.info().type) {
    return differs(base, other,
                   "it is of the type '" + other.info().type + "', not '" + base.info().type + "'");
  }
  if (other.info().architecture == base.info().architecture) return {};
  return differs(base, other,
                 "its architecture is '" + other.info().architecture + "', not '" +
                     base.info().architecture + "'");
}

std::vector<std::string_view> tokens_of(const WeightsFile& file) {
  const Value* list = file.header().find("tokenizer.ggml.tokens");
  if (list == nullptr) return {};
  return model::gguf::strings(*list);  // of strings: the file has been checked
}

Result<void> check_vocabulary(const WeightsFile& base, const WeightsFile& other) {
  if (other.info().tokenizer != base.info().tokenizer ||
      other.info().pre_tokenizer != base.info().pre_tokenizer) {
    return differs(base, other,
                   "its tokenizer is '" + other.info().tokenizer + "' ('" +
                       other.info().pre_tokenizer + "'), not '" + base.info().tokenizer + "' ('" +
                       base.info().pre_tokenizer + "')");
  }
  const auto ours = tokens_of(base), theirs = tokens_of(other);
  const auto [a, b] = std::ranges::mismatch(ours, theirs);
  if (a == ours.end() && b == theirs.end()) return {};
  const auto shown = [](const auto& at, const auto& all) {
    return at == all.end() ? "missing" : model::gguf::quoted(*at);
  };
  return differs(base, other,
                 "their vocabularies (" + std::to_string(theirs.size()) + " and " +
                     std::to_string(ours.size()) + " tokens) differ from token " +
                     std::to_string(a - ours.begin()) + " on: it is " + shown(b, theirs) +
                     " there, not " + shown(a, ours));
}

template <class T>
std::optional<double> as(const Value& value) {
  return static_cast<double>(value.at<T>());
}

/// A number, of whatever type.
std::optional<double> number(const Value& value) {
  if (value.array) return std::nullopt;
  switch (value.kind) {
    case Kind::u8: return as<std::uint8_t>(value);
    case Kind::i8: return as<std::int8_t>(value);
    case Kind::u16: return as<std::uint16_t>(value);
    case Kind::i16: return as<std::int16_t>(value);
    case Kind::u32: return as<std::uint32_t>(value);
    case Kind::i32: return as<std::int32_t>(value);
    case Kind::u64: return as<std::uint64_t>(value);
    case Kind::i64: return as<std::int64_t>(value);
    case Kind::f32: return as<float>(value);
    case Kind::f64: return as<double>(value);
    default: return std::nullopt;
  }
}

bool same_value(const Value& a, const Value& b) {
  if (a.kind == b.kind && a.array == b.array && a.bytes == b.bytes) return true;
  const auto x = number(a), y = number(b);
  return x && y && *x == *y;
}

/// The keys under the architecture's name are what libllama computes by.
Result<void> check_hyperparameters(const WeightsFile& base, const WeightsFile& other) {
  const std::string prefix = base.info().architecture + ".";
  // The vocabulary is compared token by token.
  const auto free_ones =
      std::to_array<std::string>({prefix + "context_length", prefix + "vocab_size"});
  const auto shown = [](const WeightsFile& file, std::string_view key) {
    const auto& all = file.info().metadata;
    const auto found = all.find(model::gguf::printable(key));
    return found == all.end() ? "missing" : found->second;
  };
  const auto differ = [&](std::string_view key) {
    return differs(
        base, other,
        model::gguf::printable(key) + " is " + shown(other, key) + ", not " + shown(base, key));
  };
  const auto matters = [&](std::string_view key) {
    return key.starts_with(prefix) && std::ranges::find(free_ones, key) == free_ones.end();
  };
  for (const auto& [key, value] : base.header().values) {
    const Value* theirs = other.header().find(key);
    if (matters(key) && (theirs == nullptr || !same_value(value, *theirs))) return differ(key);
  }
  for (const auto& [key, value] : other.header().values) {
    if (matters(key) && base.header().find(key) == nullptr) return differ(key);
  }
  return {};
}

Result<void> check_tensors(const WeightsFile& base, const WeightsFile& other) {
  for (const Tensor& tensor : base.tensors()) {
    const Tensor* theirs = other.find(tensor.name);
    if (theirs == nullptr) {
      return differs(base, other, "it has no tensor " + model::gguf::quoted(tensor.name));
    }
    if (theirs->shape != tensor.shape) {
      return differs(base, other,
                     "its tensor " + model::gguf::quoted(tensor.name) + " is " +
                         model::shape_text(*theirs) + ", not " + model::shape_text(tensor));
    }
  }
  for (const Tensor& tensor : other.tensors()) {
    if (base.find(tensor.name) == nullptr) {
      return differs(base, other, "it has a tensor too many, " + model::gguf::quoted(tensor.name));
    }
  }
  return {};
}

constexpr std::string_view kA = ".lora_a", kB = ".lora_b";

Result<void> check_pair(const WeightsFile& base, const WeightsFile& adapter,
                        const std::string& name) {
  const auto wrong = [&](const std::string& how) {
    return fail(Errc::bad_model, model::gguf::printable(adapter.path().string()) +
                                     " is no adapter of " +
                                     model::gguf::printable(base.path().string()) + ": " + how);
  };
  const std::string shown = model::gguf::quoted(name);
  const Tensor* a = adapter.find(name + std::string(kA));
  const Tensor* b = adapter.find(name + std::string(kB));
  if (a == nullptr || b == nullptr) return wrong("its pair for " + shown + " lacks one half");
  for (const Tensor* half : {a, b}) {
    if (model::has_codec(*half->type)) continue;
    return wrong("its tensor " + model::gguf::quoted(half->name) + " is of type " +
                 std::string(half->type->name) + "; it must be f32, f16, bf16 or a q type");
  }
  const Tensor* matrix = base.find(name);
  if (matrix == nullptr) return wrong("there is no tensor " + shown + " for its pair");
  if (!model::has_codec(*matrix->type)) {
    return wrong("the tensor " + shown + " is of type " + std::string(matrix->type->name) +
                 ", to which nothing can be added; take a base in f16 or q8_0");
  }
  const bool turned = turned_pair(name);
  // The ranks of both halves agree: the file has been checked.
  const std::uint64_t columns = turned ? b->shape[1] : a->shape[0];
  const std::uint64_t rows = turned ? a->shape[1] : b->shape[1];
  if (columns == matrix->shape[0] && rows == matrix->shape[1] && a->shape[2] == matrix->shape[2] &&
      matrix->shape[3] == 1) {
    return {};
  }
  return wrong("its pair for " + shown + " makes a matrix of " + std::to_string(columns) + " x " +
               std::to_string(rows) + ", and the tensor is " + model::shape_text(*matrix));
}

}  // namespace

Result<void> check_same_kind(const WeightsFile& base, const WeightsFile& other) {
  if (auto same = check_architecture(base, other); !same) return same;
  if (auto same = check_vocabulary(base, other); !same) return same;
  if (auto same = check_hyperparameters(base, other); !same) return same;
  return check_tensors(base, other);
}

bool turned_pair(std::string_view tensor) { return tensor.ends_with("token_embd.weight"); }

AdapterPair adapter_pair(const WeightsFile& adapter, std::string_view tensor) {
  return {adapter.find(std::string(tensor) + std::string(kA)),
          adapter.find(std::string(tensor) + std::string(kB))};
}

Result<void> check_adapter(const WeightsFile& base, const WeightsFile& adapter) {
  const auto wrong = [&](const std::string& how) {
    return fail(Errc::bad_model, model::gguf::printable(adapter.path().string()) + ": " + how);
  };
  if (adapter.info().type != "adapter" || adapter.info().adapter_type != "lora") {
    return wrong("is no LoRA adapter (general.type is '" + adapter.info().type + "')");
  }
  if (adapter.header().find("adapter.alora.invocation_tokens") != nullptr) {
    return wrong(
        "is an activated LoRA, which counts only behind its invocation tokens; it cannot become "
        "part of the base");
  }
  if (adapter.info().architecture != base.info().architecture) {
    return wrong("is for the architecture '" + adapter.info().architecture +
                 "', but the base is '" + base.info().architecture + "'");
  }
  for (const Tensor& tensor : adapter.tensors()) {
    if (!tensor.name.ends_with(kA) && !tensor.name.ends_with(kB)) {
      return wrong("has the tensor " + model::gguf::quoted(tensor.name) +
                   "; only pairs of .lora_a and .lora_b can be put into a base");
    }
    const std::string name(tensor.name.substr(0, tensor.name.size() - kA.size()));
    if (auto fits = check_pair(base, adapter, name); !fits) return fits;
  }
  return {};
}

}  // namespace lichen::mechanisms
