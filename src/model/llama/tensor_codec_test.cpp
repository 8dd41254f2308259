#include "model/tensor_codec.h"

#include <ggml.h>
#include <gguf.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "model/llama/llama_test.h"
#include "model/weights_file.h"
#include "model/weights_writer.h"

namespace lichen::model {
namespace {

constexpr std::size_t kRow = 512;

struct Named {
  const char* name;
  ggml_type number;
  double error;  // at most, of values that are normally distributed around 0 with deviation 1
};
constexpr Named kTypes[] = {
    {"f32", GGML_TYPE_F32, 0},      {"f16", GGML_TYPE_F16, 0.002}, {"bf16", GGML_TYPE_BF16, 0.02},
    {"q8_0", GGML_TYPE_Q8_0, 0.02}, {"q6_K", GGML_TYPE_Q6_K, 0.2}, {"q5_K", GGML_TYPE_Q5_K, 0.2},
    {"q5_1", GGML_TYPE_Q5_1, 0.2},  {"q5_0", GGML_TYPE_Q5_0, 0.3}, {"q4_K", GGML_TYPE_Q4_K, 0.4},
    {"q4_1", GGML_TYPE_Q4_1, 0.4},  {"q4_0", GGML_TYPE_Q4_0, 0.5}, {"q3_K", GGML_TYPE_Q3_K, 1},
    {"q2_K", GGML_TYPE_Q2_K, 1.5}};

std::vector<float> random_values(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(TensorCodec, GoesThereAndBack) {
  const std::vector<float> values = random_values(4 * kRow);
  for (const Named& named : kTypes) {
    const auto* type = codec_type(named.name);
    ASSERT_NE(type, nullptr) << named.name;
    std::vector<std::byte> bytes(values.size() / type->block * type->bytes);
    encode(*type, values, bytes);
    std::vector<float> back(values.size());
    decode(*type, bytes, back);
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(back[i], values[i], named.error) << named.name << " " << i;
    }
  }
}

TEST(TensorCodec, GivesTheBytesOfGgmlsQuantization) {
  const std::vector<float> values = random_values(4 * kRow);
  for (const Named& named : kTypes) {
    const auto* type = codec_type(named.name);
    std::vector<std::byte> ours(values.size() / type->block * type->bytes), theirs(ours.size());
    encode(*type, values, ours);
    ggml_quantize_chunk(named.number, values.data(), theirs.data(), 0, 4, kRow, nullptr);
    EXPECT_EQ(ours, theirs) << named.name;
  }
}

TEST(TensorCodec, KnowsTypesByTheirNames) {
  EXPECT_EQ(codec_type("Q4_k"), &gguf::kTensorTypes[GGML_TYPE_Q4_K]);
  EXPECT_EQ(codec_type("iq2_xs"), nullptr);
  EXPECT_EQ(codec_type("i32"), nullptr);
  EXPECT_EQ(codec_type(""), nullptr);
  EXPECT_FALSE(has_codec(gguf::kTensorTypes[GGML_TYPE_Q8_K]));
}

TEST(TensorCodec, TheLargestStaysFinite) {
  for (const Named& named : kTypes) {
    const auto* type = codec_type(named.name);
    const std::vector<float> largest(256, -largest_encodable(*type));
    std::vector<std::byte> bytes(largest.size() / type->block * type->bytes);
    encode(*type, largest, bytes);
    std::vector<float> back(largest.size());
    decode(*type, bytes, back);
    for (const float value : back) ASSERT_TRUE(std::isfinite(value)) << named.name;
  }
}

/// What our writer writes, as ggml reads it.
TEST(WeightsWriter, WritesWhatGgmlReads) {
  const auto small = WeightsFile::open(kSmall);
  ASSERT_TRUE(small) << small.error().detail;
  std::vector<TensorToWrite> tensors;
  for (const auto& tensor : small->tensors()) {
    tensors.push_back({std::string(tensor.name), tensor.type, tensor.shape});
  }
  const auto path =
      std::filesystem::path(::testing::TempDir()) / (std::to_string(getpid()) + "-written.gguf");
  auto writer = WeightsWriter::create(path, gguf::Metadata::copy_of(small->header()), tensors);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    std::vector<std::byte> bytes(tensors[i].bytes());
    ASSERT_TRUE(small->read(small->tensors()[i], 0, bytes));
    ASSERT_TRUE(writer->write(i, 0, bytes));
  }
  ASSERT_TRUE(writer->finish());

  ggml_context* ours = nullptr;
  ggml_context* theirs = nullptr;
  gguf_context* copy = gguf_init_from_file(path.c_str(), {.no_alloc = false, .ctx = &ours});
  gguf_context* original = gguf_init_from_file(kSmall, {.no_alloc = false, .ctx = &theirs});
  ASSERT_NE(copy, nullptr);
  ASSERT_EQ(gguf_get_n_kv(copy), gguf_get_n_kv(original));
  for (std::int64_t i = 0; i < gguf_get_n_kv(copy); ++i) {
    EXPECT_STREQ(gguf_get_key(copy, i), gguf_get_key(original, i));
    EXPECT_EQ(gguf_get_kv_type(copy, i), gguf_get_kv_type(original, i));
  }
  ASSERT_EQ(gguf_get_n_tensors(copy), gguf_get_n_tensors(original));
  for (std::int64_t i = 0; i < gguf_get_n_tensors(copy); ++i) {
    const char* name = gguf_get_tensor_name(copy, i);
    EXPECT_STREQ(name, gguf_get_tensor_name(original, i));
    const ggml_tensor* a = ggml_get_tensor(ours, name);
    const ggml_tensor* b = ggml_get_tensor(theirs, name);
    ASSERT_EQ(ggml_nbytes(a), ggml_nbytes(b));
    EXPECT_EQ(std::memcmp(a->data, b->data, ggml_nbytes(a)), 0) << name;
  }
  gguf_free(copy);
  gguf_free(original);
  ggml_free(ours);
  ggml_free(theirs);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace lichen::model
