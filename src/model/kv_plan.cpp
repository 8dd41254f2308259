#include "model/kv_plan.h"

#include <algorithm>

namespace lichen::model {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kLeastBytes = 128 * kMiB;  // of memory, unless the options say less
constexpr std::int64_t kMostLength = 32'768;      // of a sequence, unless the options say more
constexpr std::int64_t kLeastLength = 4'096;      // likewise, whatever memory that takes
constexpr std::int64_t kMostCells = 1 << 30;

/// Sequences at once that splitting is worth: fewer would wait for each other too often.
constexpr std::int64_t kEnoughSequences = 8;

}  // namespace

Result<KvPlan> plan_kv(const LocalModelOptions& options, int train_length, std::int64_t cell_bytes,
                       std::int64_t weights) {
  const std::int64_t cell = std::max<std::int64_t>(1, cell_bytes);
  const std::int64_t bytes =
      options.kv_bytes > 0 ? options.kv_bytes : std::max(weights, kLeastBytes);
  const std::int64_t affordable = std::min(bytes / cell, kMostCells);
  const std::int64_t sessions = options.max_sessions;

  std::int64_t length = options.context;
  if (length == 0) {
    const std::int64_t most = std::min<std::int64_t>(train_length, kMostLength);
    length = std::min(most, std::max(affordable, kLeastLength));
  }
  if (options.kv_bytes > 0 && affordable < length) {
    return fail(Errc::bad_config,
                "the KV cache may take " + std::to_string(bytes / kMiB) + " MiB, which hold " +
                    std::to_string(affordable) + " tokens; a session of " + std::to_string(length) +
                    " needs " + std::to_string((length * cell + kMiB - 1) / kMiB) +
                    ": set a larger `kv_mb` or a smaller `context`");
  }
  std::int64_t split_sequences = std::min(sessions, affordable / length);
  bool split = split_sequences >= std::min(sessions, kEnoughSequences);
  if (options.kv_layout == KvLayout::unified) split = false;
  if (options.kv_layout == KvLayout::split) {
    split = true;
    if (options.kv_bytes == 0) split_sequences = std::min(sessions, kMostCells / length);
  }
  if (split) {
    return KvPlan{.split = true,
                  .sequences = static_cast<int>(split_sequences),
                  .cells = static_cast<int>(split_sequences * length)};
  }
  const std::int64_t cells = std::clamp(affordable, length, std::max(length, sessions * length));
  return KvPlan{.sequences = static_cast<int>(sessions), .cells = static_cast<int>(cells)};
}

}  // namespace lichen::model
