// What the trainer computes with a GGUF is what libllama computes with it.
#include "mechanisms/distillation/training/student_file.h"

#include <cstdio>

#include "mechanisms/distillation/training/test_students.h"

namespace lichen::training {
namespace {

std::vector<std::int64_t> some_tokens(std::size_t count, std::int64_t vocabulary) {
  std::vector<std::int64_t> tokens(count);
  for (std::size_t i = 0; i < count; ++i) {
    tokens[i] = (static_cast<std::int64_t>(i) * 37 + 11) % vocabulary;
  }
  return tokens;
}

class StudentParity : public StudentTest {
 protected:
  /// Two sequences of different lengths in one batch against each alone in libllama.
  static double furthest(const std::filesystem::path& gguf, std::int64_t vocabulary,
                         std::size_t longest = 60) {
    Engine engine = engine_of(gguf);
    Reference reference(gguf);
    const auto one = some_tokens(longest, vocabulary), two = some_tokens(13, vocabulary);
    std::vector<float> expected = reference.logits(one);
    const std::vector<float> second = reference.logits(two);
    expected.insert(expected.end(), second.begin(), second.end());
    const double difference = furthest_logprob(engine.logits(all_rows({one, two})), expected,
                                               static_cast<std::size_t>(vocabulary));
    std::printf("%s: a log-probability differs by %.1e at most\n", gguf.filename().c_str(),
                difference);
    return difference;
  }
};

TEST_F(StudentParity, TheBundledPairInFloat) {
  EXPECT_LE(furthest(in_float(kSmall, "small.gguf"), 2'048), 1e-4);
  EXPECT_LE(furthest(in_float(kLarge, "large.gguf"), 2'048, 24), 1e-4);
}

TEST_F(StudentParity, OtherArchitectures) {
  for (const char* architecture : {"llama", "qwen2", "qwen3"}) {
    EXPECT_LE(furthest(random_student(architecture), 101), 1e-4) << architecture;
  }
  // ggml looks GELU up in a table of F16.
  for (const char* architecture : {"gemma", "gemma2", "gemma3"}) {
    EXPECT_LE(furthest(random_student(architecture), 101), 1e-2) << architecture;
  }
}

TEST_F(StudentParity, Bf16StaysNear) {
  const auto tokens = some_tokens(20, 101);
  const auto gguf = random_student("qwen3");
  Engine engine = engine_of(gguf, {.bf16 = true});
  EXPECT_LE(
      furthest_logprob(engine.logits(all_rows({tokens})), Reference(gguf).logits(tokens), 101),
      0.2);
}

class StudentFile : public StudentTest {
 protected:
  /// A copy of the small model with its metadata changed.
  Error refusal(const std::function<void(model::gguf::Metadata&)>& edit) const {
    const model::WeightsFile file = open(kSmall);
    auto metadata = model::gguf::Metadata::copy_of(file.header());
    edit(metadata);
    std::vector<model::TensorToWrite> headers;
    for (const auto& tensor : file.tensors()) {
      headers.push_back(
          {.name = std::string(tensor.name), .type = tensor.type, .shape = tensor.shape});
    }
    auto writer = model::WeightsWriter::create(at("edited.gguf"), metadata, headers);
    EXPECT_TRUE(writer && writer->finish());
    const model::WeightsFile edited = open(at("edited.gguf"));
    const auto shape = read_shape(edited);
    if (!shape) return shape.error();
    Engine engine(*shape, {});
    const auto loaded = load_weights(edited, *shape, engine);
    EXPECT_FALSE(loaded);
    return loaded ? Error{} : loaded.error();
  }
};

TEST_F(StudentFile, WhatIsNotComputedIsRefused) {
  const auto other = refusal([](auto& all) { all.set_text("general.architecture", "mamba"); });
  EXPECT_EQ(other.code, Errc::unsupported);
  EXPECT_NE(other.detail.find("llama, qwen2, qwen3, gemma, gemma2, gemma3"), std::string::npos);
  const auto yarn = refusal([](auto& all) { all.set_text("llama.rope.scaling.type", "yarn"); });
  EXPECT_EQ(yarn.code, Errc::unsupported);
  EXPECT_NE(yarn.detail.find("'yarn'"), std::string::npos);
}

TEST_F(StudentFile, WhatDoesNotFitIsNamed) {
  const auto inner = refusal([](auto& all) { all.set_u32("llama.feed_forward_length", 300); });
  EXPECT_EQ(inner.code, Errc::bad_model);
  EXPECT_NE(inner.detail.find("'blk.0.ffn_gate.weight' is [128 x 352]"), std::string::npos)
      << inner.detail;
  const auto layers = refusal([](auto& all) { all.set_u32("llama.block_count", 5); });
  EXPECT_NE(layers.detail.find("'blk.4.attn_norm.weight' is missing"), std::string::npos)
      << layers.detail;
}

}  // namespace
}  // namespace lichen::training
