// What training goes on from is what was written.
#include "mechanisms/distillation/training/adapter_file.h"

#include <gmock/gmock.h>

#include <optional>

#include "mechanisms/distillation/training/student_output.h"
#include "mechanisms/distillation/training/test_students.h"

namespace lichen::training {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AdapterFile : public StudentTest {
 protected:
  /// An adapter of the student whose every value is another one.
  Engine adapted(const LoraOptions& lora) const {
    Engine engine = engine_of(student_, {.lora = lora});
    for (std::size_t i = 0; i < engine.trained().size(); ++i) {
      std::vector<float> values(static_cast<std::size_t>(engine.trained()[i].elements));
      for (std::size_t k = 0; k < values.size(); ++k) {
        values[k] = std::sin(static_cast<float>(k * (i + 1)));
      }
      engine.write(i, Slot::value, values.data());
    }
    return engine;
  }
  model::WeightsFile written(const LoraOptions& lora, const std::string& base = "1") const {
    EXPECT_TRUE(write_adapter(at("adapter.gguf"), adapted(lora), open(student_), lora,
                              {.name = "a", .base_identity = base}));
    return open(at("adapter.gguf"));
  }
  /// Another trainer's: tensors of the given shapes, all of them 0.5.
  model::WeightsFile foreign(const std::vector<model::TensorToWrite>& tensors,
                             std::optional<float> alpha = {}) const {
    model::gguf::Metadata metadata;
    metadata.set_text("general.type", "adapter");
    metadata.set_text("general.architecture", "qwen3");
    metadata.set_text("adapter.type", "lora");
    if (alpha) metadata.set_f32("adapter.lora.alpha", *alpha);
    auto writer = model::WeightsWriter::create(at("foreign.gguf"), metadata, tensors);
    EXPECT_TRUE(writer) << writer.error().detail;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const std::vector<float> values(tensors[i].shape[0] * tensors[i].shape[1], 0.5F);
      std::vector<std::byte> bytes(tensors[i].bytes());
      model::encode(*tensors[i].type, values, bytes);
      EXPECT_TRUE(writer->write(i, 0, bytes));
    }
    EXPECT_TRUE(writer->finish());
    return open(at("foreign.gguf"));
  }
  static void add_pair(std::vector<model::TensorToWrite>& tensors, const std::string& matrix,
                       std::uint64_t in, std::uint64_t out, std::uint64_t rank) {
    const auto* type = model::codec_type("f16");
    tensors.push_back({.name = matrix + ".weight.lora_a", .type = type, .shape = {in, rank, 1, 1}});
    tensors.push_back(
        {.name = matrix + ".weight.lora_b", .type = type, .shape = {rank, out, 1, 1}});
  }
  Result<LoraOptions> read(const model::WeightsFile& adapter,
                           const std::string& identity = "1") const {
    return read_lora(adapter, open(student_), identity);
  }

  const std::filesystem::path student_ = random_student("qwen3");  // 2 layers, queries [64 x 64]
};

TEST_F(AdapterFile, TrainingGoesOnFromTheValuesThatWereWritten) {
  const LoraOptions lora{.rank = 3, .alpha = 5, .targets = {"attn_v", "ffn_down"}};
  const auto file = written(lora);
  const auto read = this->read(file);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->rank, 3);
  EXPECT_EQ(read->alpha, 5);
  EXPECT_THAT(read->targets, ElementsAre("attn_v", "ffn_down"));
  Engine before = adapted(lora), after = engine_of(student_, {.lora = *read});
  const Batch batch = all_rows({{5, 17, 3, 99, 42}});
  EXPECT_NE(after.logits(batch), before.logits(batch));
  ASSERT_TRUE(load_lora(file, after));
  EXPECT_EQ(after.logits(batch), before.logits(batch));
}

TEST_F(AdapterFile, AnotherTrainersServesToo) {
  std::vector<model::TensorToWrite> tensors;
  for (const char* layer : {"blk.0.", "blk.1."}) {
    add_pair(tensors, std::string(layer) + "attn_q", 64, 64, 4);
  }
  const auto file = foreign(tensors);
  const auto read = this->read(file);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->rank, 4);
  EXPECT_EQ(read->alpha, 4) << "libllama scales by 1 where none is given";
  Engine engine = engine_of(student_, {.lora = *read});
  ASSERT_TRUE(load_lora(file, engine));
  const std::vector<std::int64_t> tokens = {5, 17, 3, 99, 42};
  const auto logits = engine.logits(all_rows({tokens}));
  // ggml rounds what it multiplies by a matrix in F16 to that.
  EXPECT_LE(furthest_logprob(logits, Reference(student_, file.path()).logits(tokens), 101), 5e-3);
  EXPECT_GT(furthest_logprob(logits, Reference(student_).logits(tokens), 101), 0.1);
}

TEST_F(AdapterFile, OnlyAnAdapterOfThisStudentIsTaken) {
  const auto of_another_file = read(written({.rank = 2}), "2");
  ASSERT_FALSE(of_another_file);
  EXPECT_EQ(of_another_file.error().code, Errc::bad_model);
  EXPECT_THAT(of_another_file.error().detail, HasSubstr("trained on another file than"));
  EXPECT_THAT(read(open(student_)).error().detail, HasSubstr("is no LoRA adapter"));
  std::vector<model::TensorToWrite> wide;
  for (const char* layer : {"blk.0.", "blk.1."}) {
    add_pair(wide, std::string(layer) + "attn_q", 80, 64, 4);
  }
  EXPECT_THAT(read(foreign(wide)).error().detail, HasSubstr("makes a matrix of 80 x 64"));
  EXPECT_THAT(read(foreign({})).error().detail, HasSubstr("adapts nothing"));
}

TEST_F(AdapterFile, WhatTrainingCannotHaveIsNamed) {
  std::vector<model::TensorToWrite> tensors;
  add_pair(tensors, "blk.0.attn_q", 64, 64, 4);
  const auto one_layer = read(foreign(tensors));
  ASSERT_FALSE(one_layer);
  EXPECT_EQ(one_layer.error().code, Errc::unsupported);
  EXPECT_THAT(one_layer.error().detail, HasSubstr("attn_q in 1 of 2 layers"));
  add_pair(tensors, "blk.1.attn_q", 64, 64, 2);
  EXPECT_THAT(read(foreign(tensors)).error().detail, HasSubstr("ranks 4 and 2"));
  tensors.resize(2);
  add_pair(tensors, "blk.1.attn_q", 64, 64, 4);
  EXPECT_THAT(read(foreign(tensors, -1.F)).error().detail, HasSubstr("adapter.lora.alpha"));
  EXPECT_EQ(read(foreign(tensors, 0.F))->alpha, 4);
  std::vector<model::TensorToWrite> embedding;
  add_pair(embedding, "output", 64, 101, 4);
  EXPECT_FALSE(read(foreign(embedding)));
}

}  // namespace
}  // namespace lichen::training
