#include "mechanisms/distillation/training/student_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "mechanisms/distillation/training/tensor_floats.h"
#include "model/gguf/opened.h"
#include "model/gguf/typed.h"

namespace lichen::training {

namespace {

using model::WeightsFile;
using model::gguf::file_error;
using model::gguf::quoted;
using model::gguf::Tensor;

/// How architectures differ, as libllama's models/*.cpp have them.
struct Family {
  std::string_view architecture;
  bool interleaved = false;  // rotary pairs are neighbours
  bool biases = false;       // attention may have them
  bool head_norms = false;   // queries and keys are normalized
  bool post_norms = false;   // what a sublayer adds is normalized
  bool gemma = false;        // GeGLU, scaled embeddings
  std::int64_t pattern = 0;  // of so many layers all but the last look at a window; 0: none does
  std::int64_t largest = 0;  // layers of the one size whose queries are scaled by the width
};

constexpr std::array kFamilies = {
    Family{.architecture = "llama", .interleaved = true, .biases = true},
    Family{.architecture = "qwen2", .biases = true},
    Family{.architecture = "qwen3", .head_norms = true},
    Family{.architecture = "gemma", .gemma = true},
    Family{
        .architecture = "gemma2", .post_norms = true, .gemma = true, .pattern = 2, .largest = 46},
    Family{.architecture = "gemma3",
           .head_norms = true,
           .post_norms = true,
           .gemma = true,
           .pattern = 6,
           .largest = 62},
};

std::unexpected<Error> unsupported(const WeightsFile& file, const std::string& why) {
  return fail(Errc::unsupported, file_error(file.path(), why).detail);
}

Result<const Family*> family_of(const WeightsFile& file) {
  const std::string& architecture = file.info().architecture;
  const auto* found = std::ranges::find(kFamilies, architecture, &Family::architecture);
  if (found != kFamilies.end()) return found;
  return unsupported(file, "its architecture is '" + architecture + "'; students can be " +
                               trainable_architectures());
}

/// What the file may ask for and this trainer does not compute.
Result<void> check_plain(const WeightsFile& file, const Family& family) {
  const std::string prefix = std::string(family.architecture) + '.';
  const auto* scaling = file.header().find(prefix + "rope.scaling.type");
  if (scaling != nullptr && scaling->bytes != "none" && scaling->bytes != "linear") {
    return unsupported(file, "its rotary positions are scaled by " + quoted(scaling->bytes) +
                                 "; students can have none, linear, or frequency factors");
  }
  // One value for all layers, and none of these.
  for (const char* key : {"expert_count", "attention.scale", "rope.scaling.attn_factor",
                          "attention.causal", "attention.key_length_swa"}) {
    if (file.header().find(prefix + key) != nullptr) {
      return unsupported(file, "it has '" + prefix + key + "', which students cannot have");
    }
  }
  for (const char* key :
       {"attention.head_count", "attention.head_count_kv", "feed_forward_length"}) {
    const auto* value = file.header().find(prefix + key);
    if (value != nullptr && value->array) {
      return unsupported(
          file, "its layers differ in '" + prefix + key + "'; those of a student must be alike");
    }
  }
  return {};
}

/// Reads hyperparameters; what is missing or of another type makes the file `bad_model`.
class ShapeReader {
 public:
  ShapeReader(const WeightsFile& file, const Family& family)
      : file_(file), family_(family), typed_(file.header()) {}

  Result<StudentShape> read() {
    StudentShape shape{.architecture = std::string(family_.architecture)};
    shape.layers = needed("block_count");
    shape.width = needed("embedding_length");
    shape.heads = needed("attention.head_count");
    shape.kv_heads = count("attention.head_count_kv").value_or(shape.heads);
    shape.feed_forward = needed("feed_forward_length");
    shape.context = needed("context_length");
    if (const Tensor* embedding = file_.find("token_embd.weight")) {
      shape.vocabulary = static_cast<std::int64_t>(embedding->shape[1]);
    }
    shape.norm_epsilon = number("attention.layer_norm_rms_epsilon").value_or(0);
    if (auto done = read_heads(shape); !done) return std::unexpected(done.error());
    if (auto done = read_rope(shape); !done) return std::unexpected(done.error());
    if (family_.gemma) read_gemma(shape);
    if (auto done = typed_.done(); !done) {
      return std::unexpected(file_error(file_.path(), done.error()));
    }
    return shape;
  }

 private:
  std::string key(const char* name) const { return std::string(family_.architecture) + '.' + name; }
  std::optional<std::int64_t> count(const char* name) { return typed_.u32(key(name)); }
  std::optional<double> number(const char* name) { return typed_.f32(key(name)); }
  std::int64_t needed(const char* name) {
    const auto value = count(name);
    typed_.require(value.value_or(0) > 0, "key '", key(name), "' is missing or 0");
    return value.value_or(1);
  }
  std::unexpected<Error> bad(const std::string& why) const {
    return std::unexpected(file_error(file_.path(), why));
  }

  Result<void> read_heads(StudentShape& shape) {
    if (shape.kv_heads == 0 || shape.heads % shape.kv_heads != 0) {
      return bad("its query heads are no multiple of its key heads");
    }
    shape.head = count("attention.key_length").value_or(shape.width / shape.heads);
    const auto value = count("attention.value_length").value_or(shape.width / shape.heads);
    if (value != shape.head) return bad("its keys and values differ in length");
    const bool by_width = family_.largest > 0 && shape.layers == family_.largest;
    shape.query_scale =
        1 / std::sqrt(static_cast<double>(by_width ? shape.width / shape.heads : shape.head));
    return {};
  }

  Result<void> read_rope(StudentShape& shape) {
    shape.interleaved = family_.interleaved;
    shape.rotated = count("rope.dimension_count").value_or(shape.head);
    if (shape.rotated <= 0 || shape.rotated > shape.head || shape.rotated % 2 != 0) {
      return bad("key '" + key("rope.dimension_count") +
                 "' must be even and at most a head's length");
    }
    shape.rope_base = number("rope.freq_base").value_or(10'000);
    const auto* type = file_.header().find(key("rope.scaling.type"));
    if (type == nullptr || type->bytes != "none") {
      const double factor =
          number("rope.scaling.factor").value_or(number("rope.scale_linear").value_or(0));
      if (factor > 0) shape.rope_scale = 1 / factor;
    }
    const Tensor* factors = file_.find("rope_freqs.weight");
    if (factors == nullptr) return {};
    if (static_cast<std::int64_t>(factors->elements) != shape.rotated / 2 ||
        factors->type->name != "f32") {
      return bad("its rope_freqs do not fit its heads");
    }
    shape.rope_factors.resize(factors->elements);
    return file_.read(*factors, 0, std::as_writable_bytes(std::span(shape.rope_factors)));
  }

  void read_gemma(StudentShape& shape) {
    shape.gelu = true;
    shape.embedding_scale = std::sqrt(static_cast<double>(shape.width));
    if (family_.pattern == 0) return;
    const bool second = family_.architecture == "gemma2";
    if (second) shape.attention_cap = number("attn_logit_softcapping").value_or(50);
    shape.logit_cap = number("final_logit_softcapping").value_or(second ? 30 : 0);
    shape.window = count("attention.sliding_window").value_or(second ? 4'096 : 0);
    if (shape.window == 0) return;
    shape.local_rope_base =
        number("rope.freq_base_swa").value_or(second ? shape.rope_base : 10'000);
    shape.local_rope_scale = second ? shape.rope_scale : 1;
    // Some files have a number for the pattern, others an entry for each layer.
    const auto* given = file_.header().find(key("attention.sliding_window_pattern"));
    for (std::int64_t i = 0; i < shape.layers; ++i) {
      const bool listed = given != nullptr && given->is_array_of(model::gguf::Kind::boolean);
      typed_.require(!listed || static_cast<std::int64_t>(given->count) == shape.layers,
                     "its sliding_window_pattern is not one of its layers");
      const std::int64_t pattern = given != nullptr && given->is(model::gguf::Kind::u32)
                                       ? static_cast<std::int64_t>(given->at<std::uint32_t>())
                                       : family_.pattern;
      shape.local.push_back(listed ? i < static_cast<std::int64_t>(given->count) &&
                                         given->at<std::uint8_t>(static_cast<std::uint64_t>(i)) != 0
                                   : pattern == 0 || i % pattern < pattern - 1);
    }
  }

  const WeightsFile& file_;
  const Family& family_;
  model::gguf::Typed typed_;
};

/// A tensor that a student has.
struct Expected {
  std::string name;
  std::int64_t columns = 0, rows = 1;
  bool optional = false;
};

std::vector<Expected> layer_tensors(const Family& family, const StudentShape& shape,
                                    std::int64_t index) {
  const std::string block = "blk." + std::to_string(index) + '.';
  const std::int64_t queries = shape.heads * shape.head, keys = shape.kv_heads * shape.head;
  const std::int64_t width = shape.width, inner = shape.feed_forward;
  std::vector<Expected> all = {
      {block + "attn_norm.weight", width},       {block + "ffn_norm.weight", width},
      {block + "attn_q.weight", width, queries}, {block + "attn_k.weight", width, keys},
      {block + "attn_v.weight", width, keys},    {block + "attn_output.weight", queries, width},
      {block + "ffn_gate.weight", width, inner}, {block + "ffn_up.weight", width, inner},
      {block + "ffn_down.weight", inner, width}};
  if (family.biases) {
    all.push_back({block + "attn_q.bias", queries, 1, true});
    all.push_back({block + "attn_k.bias", keys, 1, true});
    all.push_back({block + "attn_v.bias", keys, 1, true});
    all.push_back({block + "attn_output.bias", width, 1, true});
  }
  if (family.head_norms) {
    all.push_back({block + "attn_q_norm.weight", shape.head});
    all.push_back({block + "attn_k_norm.weight", shape.head});
  }
  if (family.post_norms) {
    all.push_back({block + "post_attention_norm.weight", width});
    all.push_back({block + "post_ffw_norm.weight", width});
  }
  return all;
}

std::vector<Expected> tensors_of(const Family& family, const StudentShape& shape) {
  std::vector<Expected> all = {{"token_embd.weight", shape.width, shape.vocabulary},
                               {"output_norm.weight", shape.width},
                               {"output.weight", shape.width, shape.vocabulary, true}};
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    std::ranges::move(layer_tensors(family, shape, i), std::back_inserter(all));
  }
  return all;
}

Result<void> load(const WeightsFile& file, const Tensor& tensor, const Expected& expected,
                  Engine& engine) {
  if (static_cast<std::int64_t>(tensor.shape[0]) != expected.columns ||
      static_cast<std::int64_t>(tensor.elements) != expected.columns * expected.rows) {
    return std::unexpected(file_error(
        file.path(), "tensor " + quoted(tensor.name) + " is " + model::shape_text(tensor) +
                         "; it must be [" + std::to_string(expected.columns) + " x " +
                         std::to_string(expected.rows) + "] by the model's metadata"));
  }
  const auto values = floats_of(file, tensor);
  if (!values) return std::unexpected(values.error());
  std::vector<std::int64_t> shape = {expected.columns};
  if (expected.rows > 1) shape.insert(shape.begin(), expected.rows);
  engine.add(expected.name, shape, values->data());
  return {};
}

}  // namespace

std::string trainable_architectures() {
  std::string names;
  for (const Family& family : kFamilies) {
    names += (names.empty() ? "" : ", ") + std::string(family.architecture);
  }
  return names;
}

Result<StudentShape> read_shape(const WeightsFile& file) {
  const Result<const Family*> family = family_of(file);
  if (!family) return std::unexpected(family.error());
  if (auto plain = check_plain(file, **family); !plain) return std::unexpected(plain.error());
  return ShapeReader(file, **family).read();
}

Result<void> load_weights(const WeightsFile& file, const StudentShape& shape, Engine& engine) {
  const Result<const Family*> family = family_of(file);
  if (!family) return std::unexpected(family.error());
  const std::vector<Expected> expected = tensors_of(**family, shape);
  for (const Tensor& tensor : file.tensors()) {
    if (tensor.name == "rope_freqs.weight") continue;  // in the shape
    if (std::ranges::find(expected, tensor.name, &Expected::name) != expected.end()) continue;
    return unsupported(file, "tensor " + quoted(tensor.name) + " is none that a student of '" +
                                 shape.architecture + "' can have");
  }
  for (const Expected& one : expected) {
    const Tensor* tensor = file.find(one.name);
    if (tensor == nullptr) {
      if (one.optional) continue;
      return std::unexpected(file_error(file.path(), "tensor '" + one.name + "' is missing"));
    }
    if (auto done = load(file, *tensor, one, engine); !done) return done;
  }
  engine.finish();
  return {};
}

}  // namespace lichen::training
