// Small GGUF models for tests of merging, in a folder that goes with the test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "mechanisms/fusion/merge.h"
#include "model/tensor_codec.h"
#include "model/weights_file.h"
#include "model/weights_writer.h"

namespace lichen::mechanisms {

struct TestTensor {
  std::string name;
  std::array<std::uint64_t, 4> shape;
  std::vector<float> values;
  std::string type = "f32";
};
using TestTensors = std::vector<TestTensor>;
using EditMetadata = std::function<void(model::gguf::Metadata&)>;

class MergeTest : public ::testing::Test {
 protected:
  MergeTest()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                ("merge-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~MergeTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path at(const std::string& name) const { return folder_ / name; }

  /// The metadata of a model of two layers and four tokens.
  static model::gguf::Metadata metadata() {
    model::gguf::Metadata all;
    all.set_text("general.architecture", "llama");
    all.set_text("general.name", "tiny");
    all.set_u32("llama.block_count", 2);
    all.set_u32("llama.context_length", 128);
    all.set_u32("llama.embedding_length", 256);
    all.set_u32("llama.attention.head_count", 4);
    all.set_text("tokenizer.ggml.model", "gpt2");
    all.set_texts("tokenizer.ggml.tokens", {"a", "b", "c", "d"});
    all.set_u32("tokenizer.ggml.bos_token_id", 0);
    all.set_u32("tokenizer.ggml.eos_token_id", 1);
    return all;
  }

  std::filesystem::path write(
      const std::string& name, const TestTensors& tensors,
      const EditMetadata& edit = [](model::gguf::Metadata&) {}) const {
    auto all = metadata();
    edit(all);
    std::vector<model::TensorToWrite> headers;
    for (const TestTensor& tensor : tensors) {
      headers.push_back(
          {.name = tensor.name, .type = model::codec_type(tensor.type), .shape = tensor.shape});
    }
    auto writer = model::WeightsWriter::create(at(name), all, headers);
    EXPECT_TRUE(writer) << writer.error().detail;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      std::vector<std::byte> bytes(headers[i].bytes());
      model::encode(*headers[i].type, tensors[i].values, bytes);
      EXPECT_TRUE(writer->write(i, 0, bytes));
    }
    EXPECT_TRUE(writer->finish());
    return at(name);
  }

  static std::vector<float> random_values(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
  }

  /// The tensors of a model; with another seed, of another one of the kind. Matrices are in several
  /// pieces, and their rows end within one.
  static TestTensors tensors(unsigned seed, const std::string& type = "f32") {
    const auto make = [&](const std::string& name, std::array<std::uint64_t, 4> shape,
                          const std::string& its_type, unsigned its_seed) {
      return TestTensor{name, shape, random_values(shape[0] * shape[1] * shape[2], its_seed),
                        its_type};
    };
    return {make("token_embd.weight", {256, 4, 1, 1}, type, seed * 10),
            make("blk.0.attn_q.weight", {256, 300, 1, 1}, type, seed * 10 + 1),
            make("blk.0.attn_norm.weight", {256, 1, 1, 1}, "f32", seed * 10 + 2),
            make("blk.1.ffn_up.weight", {256, 140, 1, 1}, type, seed * 10 + 3),
            make("output_norm.weight", {256, 1, 1, 1}, "f32", seed * 10 + 4)};
  }

  static std::vector<std::byte> bytes_of(const model::WeightsFile& file,
                                         const std::string& tensor) {
    const auto* found = file.find(tensor);
    EXPECT_NE(found, nullptr) << tensor;
    std::vector<std::byte> raw(found->bytes);
    EXPECT_TRUE(file.read(*found, 0, raw));
    return raw;
  }
  static std::vector<float> values_of(const std::filesystem::path& path,
                                      const std::string& tensor) {
    const auto file = model::WeightsFile::open(path);
    EXPECT_TRUE(file) << file.error().detail;
    std::vector<float> values(file->find(tensor)->elements);
    model::decode(*file->find(tensor)->type, bytes_of(*file, tensor), values);
    return values;
  }
  static std::string file_bytes(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  Result<MergeReport> merge(const MergeRecipe& recipe, const std::string& output = "out.gguf",
                            int threads = 1, const std::string& type = "") const {
    return merge_models(recipe, {.output = at(output),
                                 .type = type.empty() ? nullptr : model::codec_type(type),
                                 .threads = threads});
  }
  /// The error of a merge that must fail, and must leave nothing behind.
  Error refusal(const MergeRecipe& recipe, const std::string& output = "refused.gguf") const {
    const auto files = [this] {
      return std::distance(std::filesystem::directory_iterator(folder_), {});
    };
    const auto before = files();
    const auto report = merge(recipe, output);
    EXPECT_FALSE(report);
    EXPECT_EQ(files(), before);
    return report ? Error{} : report.error();
  }

 private:
  const std::filesystem::path folder_;
};

}  // namespace lichen::mechanisms
