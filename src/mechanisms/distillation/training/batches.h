// Which examples are computed together, and in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mechanisms/distillation/training/engine.h"
#include "mechanisms/distillation/training/example.h"

namespace lichen::training {

/// Examples by their index.
using BatchMembers = std::vector<std::size_t>;

/// At least one example; all have targets of one form, or none has.
Batch make_batch(std::span<const Example> examples, std::span<const std::size_t> members);

/// Batches of examples of about one length, of `batch_tokens` with their padding (of one example,
/// where that is longer): in each epoch every example once. A function of the seed and of how many
/// batches have been taken, so that a run can be resumed anywhere.
class BatchOrder {
 public:
  BatchOrder(std::span<const Example> examples, std::int64_t batch_tokens, std::uint64_t seed);

  const BatchMembers& next();
  /// As if so many had been taken from the beginning.
  void seek(std::uint64_t taken);
  std::uint64_t taken() const { return taken_; }
  /// Batches of the first `epochs` epochs together.
  std::uint64_t batches(std::uint64_t epochs) const;

 private:
  std::vector<BatchMembers> epoch(std::uint64_t number) const;

  const std::vector<std::int64_t> lengths_;
  const std::int64_t batch_tokens_;
  const std::uint64_t seed_;
  std::uint64_t taken_ = 0;
  std::uint64_t epoch_ = 0;
  std::vector<BatchMembers> current_;
  std::size_t place_ = 0;  // in `current_`
};

/// 0 to count - 1 in an order that depends on both alone, on every machine.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed);

}  // namespace lichen::training
