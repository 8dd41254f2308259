#include "cli/distill/memory_check.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/format.h"
#include "mechanisms/distillation/training/batches.h"

namespace lichen::cli {

training::RunSize run_size(std::span<const training::Example> learned, bool keeps_best,
                           const training::TrainerOptions& trainer) {
  training::RunSize size{.batch_tokens = trainer.batch_tokens, .keeps_best = keeps_best};
  for (const training::Example& example : learned) {
    size.longest = std::max(size.longest, example.length());
  }
  size.batch_tokens = std::max(size.batch_tokens, size.longest);
  training::BatchOrder order(learned, trainer.batch_tokens, trainer.seed);
  const std::uint64_t batches = std::min<std::uint64_t>(order.batches(1), 256);
  for (std::uint64_t i = 0; i < batches; ++i) {
    std::int64_t supervised = 0;
    for (const std::size_t member : order.next()) {
      supervised += static_cast<std::int64_t>(learned[member].answer.size());
    }
    size.supervised = std::max(size.supervised, supervised);
  }
  return size;
}

Result<void> check_memory(const training::MemoryNeed& need, bool full, std::uint64_t available) {
  if (available == 0 || need.total() <= available) return {};
  return fail(Errc::overloaded,
              fmt::format("this run needs about {} ({} of weights, {} of optimizer, {} of "
                          "activations), and {} are free; take {}",
                          base::format_bytes(need.total()), base::format_bytes(need.weights),
                          base::format_bytes(need.optimizer), base::format_bytes(need.activations),
                          base::format_bytes(available),
                          need.activations > need.total() / 2
                              ? "fewer --batch-tokens or a smaller --longest"
                          : full ? "LoRA in place of --full, or a smaller student"
                                 : "--type bf16, or a smaller student"));
}

}  // namespace lichen::cli
