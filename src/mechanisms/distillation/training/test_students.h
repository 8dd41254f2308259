// For tests of training: students to begin with, and what libllama computes with the same file.
#pragma once

#include <gtest/gtest.h>
#include <llama.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/distillation/training/engine.h"
#include "mechanisms/distillation/training/student_file.h"
#include "model/tensor_codec.h"
#include "model/weights_file.h"
#include "model/weights_writer.h"

namespace lichen::training {

inline const std::filesystem::path kSmall = LICHEN_SOURCE_DIR "/models/lichen-small.gguf";
inline const std::filesystem::path kLarge = LICHEN_SOURCE_DIR "/models/lichen-large.gguf";

/// A folder that goes with the test.
class StudentTest : public ::testing::Test {
 protected:
  StudentTest()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                ("students-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    Engine::use_threads(1);
  }
  ~StudentTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path at(const std::string& name) const { return folder_ / name; }

  static model::WeightsFile open(const std::filesystem::path& path) {
    auto file = model::WeightsFile::open(path);
    EXPECT_TRUE(file) << file.error().detail;
    return *std::move(file);
  }

  /// A copy with all matrices in F32, so that libllama quantizes no activations.
  std::filesystem::path in_float(const std::filesystem::path& from, const std::string& name) const {
    const model::WeightsFile file = open(from);
    std::vector<model::TensorToWrite> headers;
    for (const auto& tensor : file.tensors()) {
      headers.push_back({.name = std::string(tensor.name),
                         .type = model::codec_type("f32"),
                         .shape = tensor.shape});
    }
    auto writer = model::WeightsWriter::create(
        at(name), model::gguf::Metadata::copy_of(file.header()), headers);
    EXPECT_TRUE(writer) << writer.error().detail;
    for (std::size_t i = 0; i < headers.size(); ++i) {
      const auto& tensor = file.tensors()[i];
      std::vector<std::byte> bytes(tensor.bytes);
      std::vector<float> values(tensor.elements);
      EXPECT_TRUE(file.read(tensor, 0, bytes));
      model::decode(*tensor.type, bytes, values);
      EXPECT_TRUE(writer->write(i, 0, std::as_bytes(std::span(values))));
    }
    EXPECT_TRUE(writer->finish());
    return at(name);
  }

  /// A student of random weights, small but of its architecture in all its parts.
  std::filesystem::path random_student(const std::string& architecture) const;

  static Engine engine_of(const std::filesystem::path& path, const TrainingMethod& method = {}) {
    const model::WeightsFile file = open(path);
    const auto shape = read_shape(file);
    EXPECT_TRUE(shape) << shape.error().detail;
    Engine engine(*shape, method);
    const auto loaded = load_weights(file, *shape, engine);
    EXPECT_TRUE(loaded) << loaded.error().detail;
    return engine;
  }

 private:
  const std::filesystem::path folder_;
};

inline std::filesystem::path StudentTest::random_student(const std::string& architecture) const {
  constexpr std::uint32_t kWidth = 64, kHeads = 4, kKvHeads = 2, kInner = 96, kTokens = 101;
  const bool gemma = architecture.starts_with("gemma"), third = architecture == "gemma3";
  const std::uint32_t head = gemma ? 32 : 16, layers = third ? 7 : 2;
  model::gguf::Metadata all;
  all.set_text("general.architecture", architecture);
  all.set_text("tokenizer.ggml.model", "none");
  const auto set = [&](const char* key, std::uint32_t number) {
    all.set_u32(architecture + '.' + key, number);
  };
  set("vocab_size", kTokens);
  set("block_count", layers);
  set("context_length", 256);
  set("embedding_length", kWidth);
  set("feed_forward_length", kInner);
  set("attention.head_count", kHeads);
  set("attention.head_count_kv", kKvHeads);
  set("attention.key_length", head);
  set("attention.value_length", head);
  if (architecture == "gemma2" || third) set("attention.sliding_window", 5);
  all.set_f32(architecture + ".attention.layer_norm_rms_epsilon", 1e-6F);
  all.set_f32(architecture + ".rope.freq_base", third ? 1e6F : 1e4F);
  if (architecture == "llama") {
    all.set_text("llama.rope.scaling.type", "linear");
    all.set_f32("llama.rope.scaling.factor", 4);
  }

  std::vector<model::TensorToWrite> headers;
  std::vector<std::vector<float>> values;
  std::mt19937 random(7);
  const auto add = [&](const std::string& name, std::uint64_t columns, std::uint64_t rows = 1) {
    headers.push_back(
        {.name = name, .type = model::codec_type("f32"), .shape = {columns, rows, 1, 1}});
    const bool norm = name.ends_with("norm.weight");
    std::normal_distribution<float> normal(
        norm ? 1 : 0, norm || rows == 1 ? 0.2F : 1 / std::sqrt(static_cast<float>(columns)));
    std::vector<float>& drawn = values.emplace_back(columns * rows);
    for (float& value : drawn) value = normal(random);
  };
  add("token_embd.weight", kWidth, kTokens);
  add("output_norm.weight", kWidth);
  if (architecture == "llama") add("rope_freqs.weight", head / 2);
  if (architecture == "qwen2") add("output.weight", kWidth, kTokens);
  for (std::uint32_t i = 0; i < layers; ++i) {
    const std::string block = "blk." + std::to_string(i) + '.';
    add(block + "attn_norm.weight", kWidth);
    add(block + "ffn_norm.weight", kWidth);
    add(block + "attn_q.weight", kWidth, kHeads * head);
    add(block + "attn_k.weight", kWidth, kKvHeads * head);
    add(block + "attn_v.weight", kWidth, kKvHeads * head);
    add(block + "attn_output.weight", kHeads * head, kWidth);
    add(block + "ffn_gate.weight", kWidth, kInner);
    add(block + "ffn_up.weight", kWidth, kInner);
    add(block + "ffn_down.weight", kInner, kWidth);
    if (architecture == "qwen2") {
      add(block + "attn_q.bias", kHeads * head);
      add(block + "attn_k.bias", kKvHeads * head);
      add(block + "attn_v.bias", kKvHeads * head);
    }
    if (architecture == "qwen3" || third) {
      add(block + "attn_q_norm.weight", head);
      add(block + "attn_k_norm.weight", head);
    }
    if (architecture == "gemma2" || third) {
      add(block + "post_attention_norm.weight", kWidth);
      add(block + "post_ffw_norm.weight", kWidth);
    }
  }
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (headers[i].name != "rope_freqs.weight") continue;
    for (float& value : values[i]) value = 1 + std::abs(value);
  }
  const std::filesystem::path path = at(architecture + ".gguf");
  auto writer = model::WeightsWriter::create(path, all, headers);
  EXPECT_TRUE(writer) << writer.error().detail;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    EXPECT_TRUE(writer->write(i, 0, std::as_bytes(std::span(values[i]))));
  }
  EXPECT_TRUE(writer->finish());
  return path;
}

/// A batch that asks for the logits of all tokens of these sequences.
inline Batch all_rows(const std::vector<std::vector<std::int64_t>>& sequences) {
  Batch batch{.sequences = static_cast<std::int64_t>(sequences.size())};
  for (const auto& sequence : sequences) {
    batch.length = std::max(batch.length, static_cast<std::int64_t>(sequence.size()));
  }
  for (const auto& sequence : sequences) {
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      batch.rows.push_back(static_cast<std::int64_t>(batch.tokens.size() + i));
    }
    batch.tokens.insert(batch.tokens.end(), sequence.begin(), sequence.end());
    batch.tokens.resize(batch.tokens.size() + static_cast<std::size_t>(batch.length) -
                        sequence.size());
  }
  return batch;
}

/// libllama with a KV cache in F32 and plain attention: the one that rounds least.
class Reference {
 public:
  explicit Reference(const std::filesystem::path& gguf, const std::filesystem::path& adapter = {}) {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    llama_backend_init();
    model_.reset(llama_model_load_from_file(gguf.c_str(), llama_model_default_params()));
    EXPECT_NE(model_, nullptr) << gguf;
    llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = 256;
    params.n_threads = params.n_threads_batch = 1;
    params.type_k = params.type_v = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    context_.reset(llama_init_from_model(model_.get(), params));
    EXPECT_NE(context_, nullptr);
    if (adapter.empty()) return;
    llama_adapter_lora* lora = llama_adapter_lora_init(model_.get(), adapter.c_str());
    EXPECT_NE(lora, nullptr) << adapter;
    float scale = 1;
    llama_set_adapters_lora(context_.get(), &lora, 1, &scale);
  }

  /// Of all tokens, one row after the other.
  std::vector<float> logits(const std::vector<std::int64_t>& tokens) {
    llama_memory_clear(llama_get_memory(context_.get()), true);
    llama_batch batch = llama_batch_init(static_cast<int>(tokens.size()), 0, 1);
    batch.n_tokens = static_cast<int>(tokens.size());
    for (int i = 0; i < batch.n_tokens; ++i) {
      batch.token[i] = static_cast<llama_token>(tokens[static_cast<std::size_t>(i)]);
      batch.pos[i] = i;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = 1;
    }
    EXPECT_EQ(llama_decode(context_.get(), batch), 0);
    const auto columns = llama_vocab_n_tokens(llama_model_get_vocab(model_.get()));
    const float* rows = llama_get_logits(context_.get());
    std::vector<float> all(rows, rows + tokens.size() * static_cast<std::size_t>(columns));
    llama_batch_free(batch);
    return all;
  }

 private:
  struct Free {
    void operator()(llama_model* model) const { llama_model_free(model); }
    void operator()(llama_context* context) const { llama_free(context); }
  };
  std::unique_ptr<llama_model, Free> model_;
  std::unique_ptr<llama_context, Free> context_;
};

/// The greatest difference of two log-probabilities, over all rows.
inline double furthest_logprob(const std::vector<float>& a, const std::vector<float>& b,
                               std::size_t vocabulary) {
  EXPECT_EQ(a.size(), b.size());
  double furthest = 0;
  for (std::size_t row = 0; row < a.size(); row += vocabulary) {
    const auto normalizer = [&](const std::vector<float>& logits) {
      double sum = 0;
      for (std::size_t v = 0; v < vocabulary; ++v) sum += std::exp(double{logits[row + v]});
      return std::log(sum);
    };
    const double of_a = normalizer(a), of_b = normalizer(b);
    for (std::size_t i = row; i < row + vocabulary; ++i) {
      furthest = std::max(furthest, std::abs((a[i] - of_a) - (b[i] - of_b)));
    }
  }
  return furthest;
}

}  // namespace lichen::training
