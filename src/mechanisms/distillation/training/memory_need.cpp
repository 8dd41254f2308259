#include "mechanisms/distillation/training/memory_need.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

namespace lichen::training {

namespace {

constexpr std::uint64_t kFloat = 4;

/// A file that holds one number; none where it says "max" or is not there.
std::optional<std::uint64_t> number_in(const char* file) {
  std::ifstream stream(file);
  std::uint64_t number = 0;
  return stream >> number ? std::optional(number) : std::nullopt;
}

}  // namespace

MemoryNeed memory_need(const StudentShape& shape, const TrainingMethod& method,
                       const RunSize& size) {
  const auto count = [](std::int64_t elements) { return static_cast<std::uint64_t>(elements); };
  const std::uint64_t number = method.bf16 ? 2 : kFloat;  // bytes of one that is computed with
  MemoryNeed need;
  need.weights = count(size.parameters) * (method.full && !method.bf16 ? 0 : number);
  // Value, gradient of the step, two moments; the network's own gradient beside them.
  need.optimizer = count(size.trained) * (4 * kFloat + number + (size.keeps_best ? kFloat : 0));
  // What the backward pass looks at again, by token and layer: around the norms, of the attention
  // with its scores, of the feed-forward layer, with an adapter's share.
  const std::int64_t attention = shape.heads * shape.head + 2 * shape.kv_heads * shape.head;
  const std::int64_t scores = 3 * shape.heads * size.longest;
  const std::int64_t layer = 8 * shape.width + 5 * attention + scores + 5 * shape.feed_forward;
  need.activations = count(size.batch_tokens) * count(layer) * count(shape.layers) * number;
  // Logits, their logarithms and both gradients, in float.
  need.activations += count(size.supervised) * count(shape.vocabulary) * 4 * kFloat;
  return need;
}

std::int64_t adapter_elements(const StudentShape& shape, const LoraOptions& lora) {
  const std::int64_t queries = shape.heads * shape.head, keys = shape.kv_heads * shape.head;
  std::int64_t sides = 0;  // in + out of all matrices
  for (const std::string& target : lora.targets) {
    if (target == "attn_q" || target == "attn_output") sides += shape.width + queries;
    if (target == "attn_k" || target == "attn_v") sides += shape.width + keys;
    if (target.starts_with("ffn_")) sides += shape.width + shape.feed_forward;
  }
  return sides * lora.rank * shape.layers;
}

std::uint64_t memory_available() {
  std::uint64_t available = 0;
  std::ifstream info("/proc/meminfo");
  for (std::string name; info >> name;) {
    if (name != "MemAvailable:") continue;
    info >> available;
    available *= 1'024;
    break;
  }
  // Of a container (cgroup 2), where it has a limit below the machine's.
  const auto limit = number_in("/sys/fs/cgroup/memory.max");
  const auto used = number_in("/sys/fs/cgroup/memory.current");
  if (limit && used) available = std::min(available, *limit - std::min(*limit, *used));
  return available;
}

}  // namespace lichen::training
