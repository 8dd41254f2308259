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

/// Memory for the scores of one pass: batch x cells x heads, in F32.
constexpr std::int64_t kMostScores = 256 * kMiB;

/// Of the bundled pair, large (64) gains by plain attention and small (32) loses.
constexpr int kLeastHeadWidth = 64;

std::int64_t scores_bytes(const LocalModelOptions& options, const KvModel& model,
                          std::int64_t length) {
  return std::int64_t{4} * model.heads * length * std::min<std::int64_t>(options.batch, length);
}

Result<KvPlan> lay_out(const LocalModelOptions& options, const KvModel& model, std::int64_t cell) {
  const std::int64_t bytes =
      options.kv_bytes > 0 ? options.kv_bytes : std::max(model.weights, kLeastBytes);
  const std::int64_t affordable = std::min(bytes / cell, kMostCells);
  const std::int64_t sessions = options.max_sessions;

  std::int64_t length = options.context;
  if (length == 0) {
    const std::int64_t most = std::min<std::int64_t>(model.train_length, kMostLength);
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
                  .cells = static_cast<int>(split_sequences * length),
                  .cell_bytes = cell};
  }
  const std::int64_t cells = std::clamp(affordable, length, std::max(length, sessions * length));
  return KvPlan{.sequences = static_cast<int>(sessions),
                .cells = static_cast<int>(cells),
                .cell_bytes = cell};
}

bool plain_pays(const LocalModelOptions& options, const KvModel& model, const KvPlan& plan) {
  return !model.on_gpu && plan.split && model.head_width >= kLeastHeadWidth &&
         scores_bytes(options, model, plan.cells / plan.sequences) <= kMostScores;
}

}  // namespace

Result<KvPlan> plan_kv(const LocalModelOptions& options, const KvModel& model) {
  const std::int64_t cell = std::max<std::int64_t>(1, model.key_bytes + model.value_bytes);
  Result<KvPlan> plan = lay_out(options, model, cell);
  if (!plan || options.attention == Attention::flash) return plan;
  if (options.attention == Attention::automatic && !plain_pays(options, model, *plan)) return plan;
  plan->plain = true;
  if (model.on_gpu) return plan;
  Result<KvPlan> wide = lay_out(options, model, cell + model.key_bytes);
  if (!wide || wide->split != plan->split) return plan;
  wide->plain = true;
  wide->f32_keys = true;
  return wide;
}

}  // namespace lichen::model
