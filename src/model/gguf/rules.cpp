#include "model/gguf/rules.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "model/gguf/typed.h"

namespace lichen::model::gguf {

namespace {

void check_experts(Typed& typed, const std::string& arch, std::uint32_t layers) {
  constexpr std::uint32_t kMaxExperts = 1'024;
  const std::uint32_t experts = typed.u32(arch + ".expert_count").value_or(0);
  const std::vector<std::uint32_t> used = typed.per_layer(arch + ".expert_used_count", layers);
  const std::uint32_t groups = typed.u32(arch + ".expert_group_count").value_or(0);
  const std::uint32_t used_groups = typed.u32(arch + ".expert_group_used_count").value_or(0);
  // These write 1 for "none", which libllama knows.
  if ((arch == "hunyuan-dense" || arch == "hunyuan_vl") && experts <= 1) return;
  const std::uint32_t most = used.empty() ? 0 : *std::ranges::max_element(used);
  typed.require(experts <= kMaxExperts, arch, ".expert_count is ", experts, "; at most ",
                kMaxExperts, " are supported");
  typed.require(most <= experts && (most > 0) == (experts > 0), arch, ".expert_used_count is ",
                most, " of ", experts, " experts; it must be at least 1 and at most all of them");
  typed.require(experts > 0 || (arch != "smallthinker" && arch != "bailingmoe2"), arch,
                ".expert_count must be above 0");
  if (groups == 0) return;
  typed.require(groups < experts, arch, ".expert_group_count is ", groups, " for ", experts,
                " experts; groups must be fewer");
  if (groups == 1 || groups >= experts) return;
  typed.require(experts % groups == 0, arch, ".expert_group_count is ", groups,
                ", which does not divide ", experts, " experts");
  typed.require(used_groups > 0 && used_groups < groups, arch, ".expert_group_used_count is ",
                used_groups, "; it must be 1 to ", groups - 1);
}

/// Whether the architecture's graph asserts that keys, values and RoPE have the same length.
bool one_head_length(std::string_view arch) {
  static constexpr std::string_view kArchitectures[] = {
      "llama",     "llama4",   "mistral3", "qwen2",      "qwen2moe",   "qwen2vl", "qwen3",
      "qwen3moe",  "qwen3vl",  "olmo",     "olmo2",      "olmoe",      "granite", "internlm2",
      "exaone",    "nemotron", "falcon",   "deci",       "starcoder2", "smollm3", "baichuan",
      "codeshell", "dream",    "llada",    "qwen3vlmoe", "llama-embed"};
  return std::ranges::find(kArchitectures, arch) != std::end(kArchitectures);
}

void check_attention(Typed& typed, const std::string& arch, std::uint32_t layers,
                     std::uint32_t width) {
  const std::vector<std::uint32_t> heads = typed.per_layer(arch + ".attention.head_count", layers);
  const std::vector<std::uint32_t> kv = typed.per_layer(arch + ".attention.head_count_kv", layers);
  for (std::size_t i = 0; i < std::min(heads.size(), kv.size()); ++i) {
    typed.require(kv[i] == 0 || heads[i] % kv[i] == 0, "layer ", i, " has ", heads[i],
                  " attention heads for ", kv[i], " key-value heads, which must divide them");
  }
  if (heads.empty() || heads[0] == 0) return;  // no attention, or not in the first layer
  const std::uint32_t head = width / heads[0];
  const std::uint32_t key = typed.u32(arch + ".attention.key_length").value_or(head);
  const std::uint32_t value = typed.u32(arch + ".attention.value_length").value_or(head);
  const std::optional<std::uint32_t> given = typed.u32(arch + ".rope.dimension_count");
  const std::uint32_t rope = given.value_or(key);
  if (given || one_head_length(arch)) {
    typed.require(rope % 2 == 0 && rope <= key, arch, ".rope.dimension_count is ", rope,
                  "; it must be even and at most the key length, ", key);
  }
  if (one_head_length(arch)) {
    typed.require(key == value && key == rope && key > 0, arch, " has heads with keys of ", key,
                  ", values of ", value, " and RoPE over ", rope,
                  " dimensions; these must be the same and not 0");
  }
}

Checked<void> check_architecture(const Header& header, const std::string& arch) {
  constexpr std::uint32_t kMaxLayers = 512, kLastPooling = 4;
  Typed typed(header);
  const std::optional<std::uint32_t> layers = typed.u32(arch + ".block_count");
  const std::uint32_t width = typed.u32(arch + ".embedding_length").value_or(0);
  const std::optional<std::uint32_t> context = typed.u32(arch + ".context_length");
  typed.require(context.value_or(1) > 0, arch, ".context_length is 0");
  typed.require(layers.value_or(1) > 0 && layers.value_or(1) <= kMaxLayers, arch,
                ".block_count is ", layers.value_or(0), "; it must be 1 to ", kMaxLayers);
  if (Checked<void> so_far = typed.done(); !so_far || !layers) return so_far;

  const std::uint32_t predicted = typed.u32(arch + ".nextn_predict_layers").value_or(0);
  typed.require(predicted <= *layers, arch, ".nextn_predict_layers is ", predicted, " of ", *layers,
                " layers");
  check_experts(typed, arch, *layers);
  check_attention(typed, arch, *layers, width);

  const std::string_view scaling = typed.text(arch + ".rope.scaling.type");
  typed.require(header.find(arch + ".rope.scaling.type") == nullptr || scaling == "none" ||
                    scaling == "linear" || scaling == "yarn" || scaling == "longrope",
                arch, ".rope.scaling.type is ", quoted(scaling),
                "; known are none, linear, yarn and longrope");
  const Value* sections = header.find(arch + ".rope.dimension_sections");
  if (sections != nullptr && sections->array && facts(sections->kind).bytes == sizeof(int)) {
    bool any = false;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(sections->count, 3); ++i) {
      any = any || sections->at<std::int32_t>(i) > 0;
    }
    typed.require(any, arch, ".rope.dimension_sections has no section above 0");
  }
  typed.require(sections != nullptr || arch != "paddleocr", arch,
                ".rope.dimension_sections is missing");
  const std::uint32_t pooling = typed.u32(arch + ".pooling_type").value_or(0);
  typed.require(pooling <= kLastPooling, arch, ".pooling_type is ", pooling, "; known are 0 to ",
                kLastPooling);
  for (const char* key : {".attention.layer_norm_rms_epsilon", ".attention.layer_norm_epsilon",
                          ".attention.group_norm_epsilon"}) {
    const float epsilon = typed.f32(arch + key).value_or(0);
    typed.require(epsilon >= 0, arch, key, " is ", epsilon, "; it must be 0 or more");
  }
  return typed.done();
}

Checked<void> check_weights(const Header& header) {
  for (const Tensor& tensor : header.tensors) {
    const bool plain = tensor.type == &kTensorTypes[0];
    const bool factors = tensor.name.find("rope_f") != tensor.name.npos;
    const bool added = tensor.name.ends_with(".bias") || tensor.name.ends_with("_norm.weight");
    if ((factors || added) && !plain) {
      return bad("tensor ", quoted(tensor.name), " is of type ", tensor.type->name,
                 "; norms, biases and RoPE factors must be f32");
    }
    // The one table of integers among the weights: the experts of each token.
    const bool table = tensor.name.find("tid2eid") != tensor.name.npos;
    if (tensor.name.ends_with(".weight") && !tensor.type->weights && !table) {
      return bad("tensor ", quoted(tensor.name), " is of type ", tensor.type->name,
                 ", which cannot be computed with; quantize the model anew");
    }
  }
  return {};
}

Checked<void> check_adapter(const Header& header) {
  constexpr std::string_view kA = ".lora_a", kB = ".lora_b";
  Typed typed(header);
  typed.text("adapter.type");
  typed.f32("adapter.lora.alpha");
  std::map<std::string_view, const Tensor*> by_name;
  for (const Tensor& tensor : header.tensors) by_name[tensor.name] = &tensor;
  for (const Tensor& a : header.tensors) {
    const std::string_view name =
        a.name.substr(0, a.name.size() - std::min(a.name.size(), kA.size()));
    if (!a.name.ends_with(kA)) {
      typed.require(!a.name.ends_with(kB) || a.type->weights, "tensor ", quoted(a.name),
                    " is of type ", a.type->name, ", which cannot be computed with");
      continue;
    }
    typed.require(a.type->weights, "tensor ", quoted(a.name), " is of type ", a.type->name,
                  ", which cannot be computed with");
    const auto found = by_name.find(std::string(name) + std::string(kB));
    if (found == by_name.end()) continue;  // libllama says so
    const Tensor& b = *found->second;
    // An embedding's A is looked up by token, so its rank is in the rows.
    const std::uint64_t rank = name.ends_with("token_embd.weight") ? a.shape[0] : a.shape[1];
    typed.require(rank == b.shape[0], "the adapter's pair for ", quoted(name), " has ranks ", rank,
                  " and ", b.shape[0], "; they must be the same");
    const bool experts = name.find("_exps") != name.npos;
    typed.require(a.shape[2] == b.shape[2] && a.shape[3] == 1 && b.shape[3] == 1 &&
                      (experts || a.shape[2] == 1),
                  "the adapter's pair for ", quoted(name), " has extra dimensions that do not fit");
  }
  return typed.done();
}

}  // namespace

Checked<void> check_for_libllama(const Header& header, std::uint64_t file_bytes) {
  Typed typed(header);
  const std::string arch(typed.text("general.architecture"));
  const std::string_view type = typed.text("general.type");
  typed.text("general.name");
  if (Checked<void> done = typed.done(); !done) return done;
  if (type == "adapter") return check_adapter(header);
  if (arch == "clip" || type == "mmproj") return {};  // no language model: other keys
  if (Checked<void> done = check_architecture(header, arch); !done) return done;
  if (Checked<void> done = check_tokenizer(header, arch, file_bytes); !done) return done;
  return check_weights(header);
}

}  // namespace lichen::model::gguf
