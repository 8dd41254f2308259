#include "mechanisms/distillation/training/memory_need.h"

#include <gtest/gtest.h>

#include "mechanisms/distillation/training/blas.h"
#include "mechanisms/distillation/training/test_students.h"

namespace lichen::training {
namespace {

class MemoryNeedTest : public StudentTest {};

TEST_F(MemoryNeedTest, AnAdapterHasAsManyElementsAsCounted) {
  for (const LoraOptions& lora :
       {LoraOptions{.rank = 3}, LoraOptions{.rank = 1, .targets = {"attn_v", "ffn_down"}}}) {
    const auto path = random_student("gemma3");
    const auto shape = read_shape(open(path));
    const Engine engine = engine_of(path, {.lora = lora});
    std::int64_t elements = 0;
    for (const TrainedTensor& tensor : engine.trained()) elements += tensor.elements;
    EXPECT_EQ(adapter_elements(*shape, lora), elements);
  }
}

TEST_F(MemoryNeedTest, GrowsWithWhatItIsAskedFor) {
  const auto shape = read_shape(open(kLarge));
  ASSERT_TRUE(shape);
  const auto total = [&](const TrainingMethod& method, std::int64_t tokens) {
    return memory_need(*shape, method,
                       {.parameters = 24'700'000,
                        .trained = method.full ? 24'700'000 : 400'000,
                        .batch_tokens = tokens,
                        .longest = 200,
                        .supervised = tokens / 2,
                        .keeps_best = true})
        .total();
  };
  const std::uint64_t full = total({.full = true}, 1'024);
  EXPECT_GT(full, 24'700'000u * 20);
  EXPECT_LT(full, 2'000'000'000u);
  EXPECT_LT(total({}, 1'024), full);
  EXPECT_LT(total({.bf16 = true}, 1'024), total({}, 1'024));
  EXPECT_GT(total({}, 4'096), 3 * total({}, 1'024));
  EXPECT_GT(memory_available(), 0u);
}

TEST(Blas, TheOneOfThisMachineIsToldAndDebiansDefaultRefused) {
  EXPECT_TRUE(is_fast_blas(blas_library())) << blas_library();
  EXPECT_TRUE(is_fast_blas("/usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3.1"));
  EXPECT_FALSE(is_fast_blas("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0"));
}

}  // namespace
}  // namespace lichen::training
