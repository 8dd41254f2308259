#include "model/gguf_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <string_view>
#include <utility>

#include "base/utf8.h"

namespace lichen::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kSmallModel = LICHEN_SOURCE_DIR "/models/lichen-small.gguf";

// GGUF's numbers for the types of values and, at the end, of tensors.
enum : std::uint32_t { kU16 = 2, kU32 = 4, kI32, kF32, kBool, kString, kArray, kU64 = 10 };
enum : std::uint32_t { kTensorF32 = 0, kTensorF16 = 1, kTensorQ8 = 8, kTensorI32 = 26 };

template <class T>
std::string raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

std::string raw_string(std::string_view text) {
  return raw<std::uint64_t>(text.size()) + std::string(text);
}

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

/// Writes any GGUF, a wrong one too: every count and offset can be replaced.
struct Writer {
  struct TensorHeader {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::uint32_t type = kTensorF32;
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> offset = {};
  };
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::optional<std::uint64_t> key_count = {};
  std::optional<std::uint64_t> tensor_count = {};
  std::uint64_t alignment = 32;
  std::vector<std::pair<std::string, std::string>> values = {};  // key, type and value
  std::vector<TensorHeader> tensors = {};

  void set(const std::string& key, const std::string& value) {
    for (auto& [known, old] : values) {
      if (known == key) {
        old = value;
        return;
      }
    }
    values.emplace_back(key, value);
  }
  void erase(const std::string& key) {
    std::erase_if(values, [&](const auto& value) { return value.first == key; });
  }
  void u16(const std::string& key, std::uint16_t v) { set(key, raw(+kU16) + raw(v)); }
  void u32(const std::string& key, std::uint32_t v) { set(key, raw(+kU32) + raw(v)); }
  void f32(const std::string& key, float v) { set(key, raw(+kF32) + raw(v)); }
  void flag(const std::string& key, bool v) { set(key, raw(+kBool) + raw<std::uint8_t>(v)); }
  void text(const std::string& key, std::string_view v) { set(key, raw(+kString) + raw_string(v)); }
  void strings(const std::string& key, const std::vector<std::string>& all) {
    std::string bytes = raw(+kArray) + raw(+kString) + raw<std::uint64_t>(all.size());
    for (const std::string& one : all) bytes += raw_string(one);
    set(key, bytes);
  }
  template <class T>
  void numbers(const std::string& key, std::uint32_t kind, const std::vector<T>& all) {
    std::string bytes = raw(+kArray) + raw(kind) + raw<std::uint64_t>(all.size());
    for (const T& one : all) bytes += raw(one);
    set(key, bytes);
  }
  TensorHeader& tensor(std::string_view name) {
    return *std::ranges::find(tensors, name, &TensorHeader::name);
  }

  std::string bytes() const {
    std::string out = magic + raw(version) +
                      raw<std::uint64_t>(tensor_count.value_or(tensors.size())) +
                      raw<std::uint64_t>(key_count.value_or(values.size()));
    for (const auto& [key, value] : values) out += raw_string(key) + value;
    const auto pad = [&](std::uint64_t n) { return (n + alignment - 1) / alignment * alignment; };
    std::uint64_t end = 0;
    for (const TensorHeader& t : tensors) {
      out += raw_string(t.name) + raw<std::uint32_t>(t.shape.size());
      for (const std::uint64_t n : t.shape) out += raw(n);
      out += raw(t.type) + raw(t.offset.value_or(pad(end)));
      end = pad(end) + t.bytes;
    }
    if (!tensors.empty()) out.resize(pad(out.size()) + end, '\x11');
    return out;
  }
};

/// A whole small model of the kind that libllama opens.
Writer model() {
  Writer w;
  w.text("general.architecture", "llama");
  w.text("general.type", "model");
  w.text("general.name", "tiny");
  w.u32("general.file_type", 7);
  w.u32("llama.context_length", 128);
  w.u32("llama.embedding_length", 64);
  w.u32("llama.block_count", 1);
  w.u32("llama.attention.head_count", 4);
  w.u32("llama.attention.head_count_kv", 2);
  w.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  w.u32("llama.rope.dimension_count", 16);
  w.text("tokenizer.ggml.model", "gpt2");
  w.text("tokenizer.ggml.pre", "smollm");
  w.strings("tokenizer.ggml.tokens", {"<s>", "a", "b", "", "ab"});
  w.numbers<std::int32_t>("tokenizer.ggml.token_type", kI32, {3, 1, 1, 1, 1});
  w.numbers<float>("tokenizer.ggml.scores", kF32, {0, 0, 0, 0, 0});
  w.u32("tokenizer.ggml.bos_token_id", 0);
  w.u32("tokenizer.ggml.eos_token_id", 0);
  w.text("tokenizer.chat_template", "{{ messages }}\n");
  w.tensors = {{"token_embd.weight", {64, 5}, kTensorQ8, 340},
               {"output_norm.weight", {64}, kTensorF32, 256},
               {"blk.0.attn_q.weight", {64, 4}, kTensorF16, 512}};
  return w;
}

Writer adapter() {
  Writer w;
  w.text("general.architecture", "llama");
  w.text("general.type", "adapter");
  w.text("adapter.type", "lora");
  w.f32("adapter.lora.alpha", 16);
  w.tensors = {{"blk.0.attn_q.weight.lora_a", {64, 4}, kTensorF32, 1024},
               {"blk.0.attn_q.weight.lora_b", {4, 64}, kTensorF32, 1024}};
  return w;
}

class GgufFile : public testing::Test {
 protected:
  GgufFile() { fs::create_directories(folder_); }
  ~GgufFile() override { fs::remove_all(folder_); }

  fs::path write(std::string_view bytes, const std::string& name = "model.gguf") {
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  Result<GgufInfo> inspect(std::string_view bytes) { return inspect_gguf(write(bytes)); }
  Result<GgufInfo> inspect(const Writer& w) { return inspect(w.bytes()); }

  void expect_refused(const Result<GgufInfo>& result, const std::string& why) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::bad_model);
    EXPECT_THAT(result.error().detail, HasSubstr(folder_.string()));
    EXPECT_THAT(result.error().detail, HasSubstr(why));
    EXPECT_TRUE(base::valid_utf8(result.error().detail));
    EXPECT_EQ(result.error().detail.find('\n'), std::string::npos);
  }

  using Change = std::function<void(Writer&)>;
  void expect_each_refused(Writer (*good)(),
                           const std::vector<std::pair<Change, std::string>>& cases) {
    for (const auto& [change, why] : cases) {
      SCOPED_TRACE(why);
      Writer w = good();
      change(w);
      expect_refused(inspect(w), why);
    }
  }

  const fs::path folder_ = fs::path(testing::TempDir()) /
                           ("gguf_" + std::to_string(getpid()) + "_" + std::to_string(++count_));
  static inline int count_ = 0;
};

TEST_F(GgufFile, DescribesAModel) {
  const Result<GgufInfo> info = inspect(model());
  ASSERT_TRUE(info.has_value()) << info.error().detail;
  EXPECT_EQ(info->version, 3u);
  EXPECT_EQ(info->file_bytes, fs::file_size(folder_ / "model.gguf"));
  EXPECT_EQ(info->parts, 1);
  EXPECT_EQ(info->type, "model");
  EXPECT_EQ(info->architecture, "llama");
  EXPECT_EQ(info->name, "tiny");
  EXPECT_EQ(info->file_type, "Q8_0");
  EXPECT_EQ(info->parameters, 64u * 5 + 64 + 64 * 4);
  EXPECT_EQ(info->tensors, 3u);
  EXPECT_EQ(info->shares.at("q8_0").bytes, 340u);
  EXPECT_EQ(info->shares.at("f16").parameters, 256u);
  EXPECT_EQ(info->shares.at("f32").tensors, 1u);
  EXPECT_EQ(info->context_length, 128u);
  EXPECT_EQ(info->embedding_length, 64u);
  EXPECT_EQ(info->block_count, 1u);
  EXPECT_EQ(info->vocabulary, 5u);
  EXPECT_EQ(info->tokenizer, "gpt2");
  EXPECT_EQ(info->pre_tokenizer, "smollm");
  EXPECT_EQ(info->chat_template, "{{ messages }}\n");
  EXPECT_EQ(info->metadata.at("tokenizer.ggml.tokens"), "[string x 5]");
  EXPECT_EQ(info->metadata.at("llama.context_length"), "128");
  EXPECT_EQ(info->metadata.at("llama.attention.layer_norm_rms_epsilon"), "1e-05");
  EXPECT_FALSE(info->adapter_lora_alpha.has_value());
  Writer old = model();
  old.version = 2;
  EXPECT_TRUE(inspect(old).has_value());
}

TEST_F(GgufFile, DescribesTheBundledModel) {
  const Result<GgufInfo> info = inspect_gguf(kSmallModel);
  ASSERT_TRUE(info.has_value()) << info.error().detail;
  EXPECT_EQ(info->architecture, "llama");
  EXPECT_EQ(info->file_type, "F16");
  EXPECT_EQ(info->file_bytes, fs::file_size(kSmallModel));
  EXPECT_GT(info->parameters, 900'000u);
  EXPECT_GT(info->context_length, 0u);
  const Result<std::vector<std::string>> tokens = read_gguf_tokens(kSmallModel);
  ASSERT_TRUE(tokens.has_value());
  EXPECT_EQ(tokens->size(), info->vocabulary);
  EXPECT_EQ(tokens->front(), "<|endoftext|>");
}

TEST_F(GgufFile, DescribesAnAdapter) {
  const Result<GgufInfo> info = inspect(adapter());
  ASSERT_TRUE(info.has_value()) << info.error().detail;
  EXPECT_EQ(info->type, "adapter");
  EXPECT_EQ(info->adapter_type, "lora");
  EXPECT_EQ(info->adapter_lora_alpha, 16.0F);
  EXPECT_EQ(info->file_type, "f32");
}

TEST_F(GgufFile, ReadsTokens) {
  const Result<std::vector<std::string>> tokens = read_gguf_tokens(write(model().bytes()));
  ASSERT_TRUE(tokens.has_value());
  EXPECT_THAT(*tokens, ElementsAre("<s>", "a", "b", "", "ab"));
  EXPECT_TRUE(read_gguf_tokens(write(adapter().bytes()))->empty());
  EXPECT_FALSE(read_gguf_tokens(folder_ / "none.gguf").has_value());
}

TEST_F(GgufFile, MakesTextPrintable) {
  Writer w = model();
  w.text("general.name", "a\x1B[31m\xFF\nb");
  const Result<GgufInfo> info = inspect(w);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->name, "a [31m\uFFFD b");
}

TEST_F(GgufFile, RefusesWhatIsNoFile) {
  expect_refused(inspect_gguf(folder_ / "none.gguf"), "no such file");
  expect_refused(inspect_gguf(folder_), "directory");
  expect_refused(inspect(""), "empty");
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  expect_refused(inspect_gguf(pipe), "pipe");
  if (geteuid() != 0) {  // nothing is unreadable to root
    const fs::path path = write(model().bytes());
    fs::permissions(path, fs::perms::none);
    expect_refused(inspect_gguf(path), "cannot be opened");
  }
}

TEST_F(GgufFile, SaysWhatAnotherFileLooksLike) {
  using namespace std::string_literals;
  const std::pair<std::string, std::string> cases[] = {
      {"\x40\0\0\0\0\0\0\0{\"__metadata__\""s, "safetensors"},
      {"PK\x03\x04"s, "zip"},
      {"\x80\x02}q"s, "pickle"},
      {"version https://git-lfs.github.com/spec/v1\n"s, "git lfs pull"},
      {"<!DOCTYPE html>"s, "web page"},
      {"GG"s, "unknown kind"},
      {"tjgg\3\0\0\0"s, "before GGUF"},
      {"GGUF\0\0\0\3"s, "big-endian"},
      {"GGUF\1\0\0\0"s, "version 1"},
      {"GGUF\4\0\0\0"s, "version 4"},
      {"GGUF"s, "truncated"},
  };
  for (const auto& [bytes, why] : cases) expect_refused(inspect(bytes), why);
}

TEST_F(GgufFile, RefusesDamagedStructure) {
  expect_each_refused(
      model,
      {
          {[](Writer& w) { w.key_count = kHuge; }, "keys"},
          {[](Writer& w) { w.key_count = w.values.size() + 1; }, ""},
          {[](Writer& w) { w.key_count = w.values.size() - 1; }, ""},
          {[](Writer& w) { w.tensor_count = kHuge; }, "tensors"},
          {[](Writer& w) { w.tensor_count = 1u << 20; }, "tensors"},
          {[](Writer& w) { w.values.emplace_back("general.name", raw(+kU32) + raw(1)); }, "twice"},
          {[](Writer& w) { w.u32("", 1); }, "is empty"},
          {[](Writer& w) { w.u32(std::string("a\0b", 3), 1); }, "NUL"},
          {[](Writer& w) { w.set("x", raw(13)); }, "unknown type 13"},
          {[](Writer& w) { w.set("x", raw(+kString) + raw(kHuge)); }, "'x'"},
          {[](Writer& w) { w.set("x", raw(+kArray) + raw(+kU64) + raw(kHuge / 8 + 1)); }, "room"},
          {[](Writer& w) { w.set("x", raw(+kArray) + raw(+kString) + raw(kHuge / 8)); }, "room"},
          {[](Writer& w) { w.set("x", raw(+kArray) + raw(99) + raw(kHuge)); }, "unknown type 99"},
          {[](Writer& w) { w.set("x", raw(+kArray) + raw(+kArray) + raw(kHuge)); },
           "array of arrays"},
          {[](Writer& w) { w.text("general.alignment", "32"); }, "must be u32"},
          {[](Writer& w) { w.u32("general.alignment", 0); }, "power of two"},
          {[](Writer& w) { w.u32("general.alignment", 48); }, "power of two"},
          {[](Writer& w) { w.u32("general.alignment", 8); }, "power of two"},
          {[](Writer& w) { w.u32("general.alignment", 1u << 31); }, "power of two"},
          {[](Writer& w) { w.u32("general.alignment", 64); }, ""},
      });
}

TEST_F(GgufFile, RefusesDamagedTensors) {
  expect_each_refused(
      model, {
                 {[](Writer& w) { w.tensors[0].name = ""; }, "name of 0 bytes"},
                 {[](Writer& w) { w.tensors[0].name = std::string(64, 'x'); }, "name of 64 bytes"},
                 {[](Writer& w) { w.tensors[0].name = std::string("a\0", 2); }, "without NUL"},
                 {[](Writer& w) { w.tensors[0].name = w.tensors[2].name; }, "two tensors"},
                 {[](Writer& w) { w.tensors[0].shape = {1, 1, 1, 1, 1}; }, "5 dimensions"},
                 {[](Writer& w) { w.tensors[0].shape = {64, 0}; }, "dimension 1 is 0"},
                 {[](Writer& w) { w.tensors[0].shape = {kHuge / 4 + 1, 4}; }, "64 bits"},
                 {[](Writer& w) { w.tensors[0].shape = {kHuge / 4 + 1, 2}; }, "64 bits"},
                 {[](Writer& w) { w.tensors[1].shape = {kHuge / 4 + 1}; }, "64 bits"},
                 {[](Writer& w) { w.tensors[0].shape = {40, 8}; }, "multiples of 32"},
                 {[](Writer& w) { w.tensors[0].type = 43; }, "type 43"},
                 {[](Writer& w) { w.tensors[0].type = 4; }, "type 4,"},
                 {[](Writer& w) { w.tensors[0].type = ~0u; }, "type 4294967295"},
                 {[](Writer& w) { w.tensors[1].offset = 0; }, "overlap"},
                 {[](Writer& w) { w.tensors[1].offset = 385; }, "overlap"},
                 {[](Writer& w) { w.tensors[2].offset = ~std::uint64_t{0} - 31; }, "overlap"},
                 {[](Writer& w) { w.tensors[2].shape = {64, 5}; }, "truncated"},
                 {[](Writer& w) { w.tensors[2].shape = {64, 1u << 30}; }, "its tensors need"},
             });
}

TEST_F(GgufFile, RefusesWhatMakesLibllamaAbort) {
  using Ints = std::vector<std::uint32_t>;
  expect_each_refused(
      model,
      {
          {[](Writer& w) { w.u32("general.architecture", 1); }, "must be string"},
          {[](Writer& w) { w.u32("llama.context_length", 0); }, "context_length is 0"},
          {[](Writer& w) { w.text("llama.context_length", "8"); }, "must be u32"},
          {[](Writer& w) { w.u32("llama.block_count", 0); }, "block_count is 0"},
          {[](Writer& w) { w.u32("llama.block_count", 513); }, "block_count is 513"},
          {[](Writer& w) { w.u32("llama.nextn_predict_layers", 2); }, "nextn_predict_layers"},
          {[](Writer& w) { w.u32("llama.attention.head_count", 3); }, "3 attention heads"},
          {[](Writer& w) { w.numbers<std::uint32_t>("llama.attention.head_count", kU32, {4, 4}); },
           "2 values for 1 layers"},
          {[](Writer& w) { w.numbers<float>("llama.attention.head_count", kF32, {4}); },
           "must be u32"},
          {[](Writer& w) { w.u32("llama.rope.dimension_count", 15); }, "must be even"},
          {[](Writer& w) { w.u32("llama.rope.dimension_count", 32); }, "at most the key length"},
          {[](Writer& w) { w.u32("llama.rope.dimension_count", 8); }, "must be the same"},
          {[](Writer& w) { w.u32("llama.attention.value_length", 8); }, "must be the same"},
          {[](Writer& w) { w.text("llama.rope.scaling.type", "cubic"); }, "'cubic'"},
          {[](Writer& w) { w.numbers("llama.rope.dimension_sections", kI32, Ints{0, 0, 0, 4}); },
           "no section"},
          {[](Writer& w) { w.u32("llama.pooling_type", 5); }, "pooling_type is 5"},
          {[](Writer& w) { w.f32("llama.attention.layer_norm_rms_epsilon", -1); }, "0 or more"},
          {[](Writer& w) { w.f32("llama.attention.layer_norm_epsilon", std::nanf("")); }, "0 or"},
          {[](Writer& w) {
             w.text("general.architecture", "smallthinker"), w.u32("smallthinker.block_count", 1);
           },
           "expert_count must be"},
          {[](Writer& w) {
             w.text("general.architecture", "paddleocr"), w.u32("paddleocr.block_count", 1);
           },
           "dimension_sections is missing"},
          {[](Writer& w) { w.u32("llama.expert_used_count", 2); }, "expert_used_count is 2"},
          {[](Writer& w) { w.u32("llama.expert_count", 8); }, "expert_used_count is 0"},
          {[](Writer& w) {
             w.u32("llama.expert_count", 2000);
             w.u32("llama.expert_used_count", 2);
           },
           "at most 1024"},
          {[](Writer& w) {
             w.u32("llama.expert_count", 8);
             w.u32("llama.expert_used_count", 2);
             w.u32("llama.expert_group_count", 3);
           },
           "does not divide"},
          {[](Writer& w) {
             w.u32("llama.expert_count", 8);
             w.u32("llama.expert_used_count", 2);
             w.u32("llama.expert_group_count", 4);
           },
           "group_used_count is 0"},
          {[](Writer& w) { w.tensor("output_norm.weight").type = kTensorI32; }, "must be f32"},
          {[](Writer& w) { w.tensors[0].type = kTensorI32, w.tensors[0].bytes = 1280; },
           "cannot be computed with"},
      });
}

TEST_F(GgufFile, RefusesBrokenVocabularies) {
  const std::string kTokens = "tokenizer.ggml.tokens";
  using namespace std::string_literals;
  expect_each_refused(
      model,
      {
          {[&](Writer& w) { w.erase(kTokens); }, "is missing"},
          {[&](Writer& w) { w.text(kTokens, "a"); }, "array of strings"},
          {[&](Writer& w) { w.strings(kTokens, {}); }, "has 0 tokens"},
          {[&](Writer& w) { w.strings(kTokens, {"a", "b", "a"}); }, "'a' twice"},
          {[&](Writer& w) { w.strings(kTokens, {"a\0x"s, "a\0y"s, "c"}); }, "'a' twice"},
          {[&](Writer& w) { w.strings(kTokens, {"", "[EMPTY_0]"}); }, "'[EMPTY_0]' twice"},
          {[](Writer& w) { w.numbers<std::int32_t>("tokenizer.ggml.token_type", kI32, {1, 1}); },
           "2 values for 5 tokens"},
          {[](Writer& w) { w.numbers<float>("tokenizer.ggml.token_type", kF32, {1, 1, 1, 1, 1}); },
           "array of i32"},
          {[](Writer& w) { w.numbers<float>("tokenizer.ggml.scores", kF32, {1}); }, "1 values"},
          {[](Writer& w) { w.text("tokenizer.ggml.scores", "x"); }, "array of f32"},
          {[](Writer& w) { w.u32("tokenizer.ggml.bos_token_id", 5); }, "BOS"},
          {[](Writer& w) { w.erase("tokenizer.ggml.eos_token_id"); }, "EOS"},
          {[](Writer& w) { w.text("tokenizer.ggml.model", "bert"); }, "SEP"},
          {[](Writer& w) {
             w.text("tokenizer.ggml.model", "bert");
             w.numbers<std::int32_t>("tokenizer.ggml.token_type", kI32, {1, 6, 1, 1, 1});
           },
           "byte token"},
          {[](Writer& w) {
             w.text("tokenizer.ggml.model", "rwkv");
             w.strings("tokenizer.ggml.tokens", {"a", "b", "c", "\\n\\n", "\\x41"});
           },
           "byte 10 "},
          {[](Writer& w) {
             w.text("tokenizer.ggml.model", "none");
             w.u32("llama.vocab_size", 4'000'000'000);
           },
           "more than the file"},
      });
  // Ids that are never added are left to libllama, which ignores wrong ones.
  Writer w = model();
  w.u32("tokenizer.ggml.bos_token_id", 5);
  w.flag("tokenizer.ggml.add_bos_token", false);
  w.u32("tokenizer.ggml.padding_token_id", 1'000);
  EXPECT_TRUE(inspect(w).has_value());
}

TEST_F(GgufFile, RefusesBrokenAdapters) {
  expect_each_refused(
      adapter, {
                   {[](Writer& w) { w.u32("adapter.lora.alpha", 16); }, "must be f32"},
                   {[](Writer& w) { w.u32("adapter.type", 1); }, "must be string"},
                   {[](Writer& w) { w.tensors[0].shape = {128, 2}; }, "ranks 2 and 4"},
                   {[](Writer& w) { w.tensors[0].shape = {16, 4, 4}; }, "extra dimensions"},
                   {[](Writer& w) { w.tensors[1].type = kTensorI32; }, "cannot be computed with"},
               });
}

TEST_F(GgufFile, AddsUpTheParts) {
  const auto part = [](std::uint16_t number, std::uint16_t count) {
    Writer w = number == 0 ? model() : Writer();
    w.u16("split.no", number);
    w.u16("split.count", count);
    if (number > 0) w.tensors = {{"blk.0.ffn_norm.weight", {64}, kTensorF32, 256}};
    return w.bytes();
  };
  const fs::path first = write(part(0, 2), "m-00001-of-00002.gguf");
  expect_refused(inspect_gguf(first), "m-00002-of-00002.gguf: there is no such file");
  const fs::path second = write(part(1, 2), "m-00002-of-00002.gguf");
  const Result<GgufInfo> info = inspect_gguf(first);
  ASSERT_TRUE(info.has_value()) << info.error().detail;
  EXPECT_EQ(info->parts, 2);
  EXPECT_EQ(info->tensors, 4u);
  EXPECT_EQ(info->file_bytes, fs::file_size(first) + fs::file_size(second));
  expect_refused(inspect_gguf(second), "name the first one");
  expect_refused(inspect(part(0, 2)), "-00001-of-00002.gguf");
  write(part(2, 3), "m-00002-of-00002.gguf");
  expect_refused(inspect_gguf(first), "is not part 2");
  write("GGUF", "m-00002-of-00002.gguf");
  expect_refused(inspect_gguf(first), "truncated");
}

TEST_F(GgufFile, RefusesEveryTruncation) {
  const std::string whole = model().bytes();
  const fs::path path = write(whole);
  for (std::size_t size = whole.size(); size-- > 0;) {
    fs::resize_file(path, size);
    ASSERT_FALSE(inspect_gguf(path).has_value()) << size;
  }
}

TEST_F(GgufFile, RefusesEveryTruncationOfTheBundledModel) {
  const fs::path path = folder_ / "small.gguf";
  fs::copy_file(kSmallModel, path);
  fs::permissions(path, fs::perms::owner_all);
  for (std::size_t size = 4096; size-- > 0;) {
    fs::resize_file(path, size);
    ASSERT_FALSE(inspect_gguf(path).has_value()) << size;
  }
}

/// Changes a file in place, looks at it and changes it back.
class Mutator {
 public:
  explicit Mutator(const fs::path& path) : path_(path), file_(open(path.c_str(), O_RDWR)) {}
  ~Mutator() { close(file_); }
  Mutator(const Mutator&) = delete;
  Mutator& operator=(const Mutator&) = delete;

  /// Only that it returns, without a finding of the sanitizers, and that errors are well-formed.
  void survive(std::size_t at, const std::string& change) {
    std::string before(change.size(), '\0');
    const auto offset = static_cast<off_t>(at);
    ASSERT_EQ(pread(file_, before.data(), before.size(), offset), ssize_t(before.size()));
    ASSERT_EQ(pwrite(file_, change.data(), change.size(), offset), ssize_t(change.size()));
    const Result<GgufInfo> info = inspect_gguf(path_);
    if (info) {
      ++accepted;
    } else {
      ++refused;
      ASSERT_EQ(info.error().code, Errc::bad_model);
      ASSERT_TRUE(base::valid_utf8(info.error().detail));
    }
    ASSERT_EQ(pwrite(file_, before.data(), before.size(), offset), ssize_t(before.size()));
  }

  int accepted = 0;
  int refused = 0;

 private:
  fs::path path_;
  int file_;
};

TEST_F(GgufFile, SurvivesEveryByteChanged) {
  const std::string whole = model().bytes();
  Mutator mutator(write(whole));
  const std::size_t header = whole.find("\x11\x11\x11\x11\x11\x11\x11\x11");
  for (std::size_t at = 0; at < header; ++at) {
    for (const char byte : {'\xFF', static_cast<char>(whole[at] ^ 1)}) {
      ASSERT_NO_FATAL_FAILURE(mutator.survive(at, std::string(1, byte))) << at;
    }
  }
  EXPECT_GT(mutator.accepted, 100);
  EXPECT_GT(mutator.refused, 1'000);
}

class GgufFileSeeded : public GgufFile, public testing::WithParamInterface<unsigned> {};

TEST_P(GgufFileSeeded, SurvivesRandomChangesOfTheBundledModel) {
  const fs::path path = folder_ / "small.gguf";
  fs::copy_file(kSmallModel, path);
  fs::permissions(path, fs::perms::owner_all);
  Mutator mutator(path);
  std::string whole(fs::file_size(path), '\0');
  std::ifstream(path, std::ios::binary)
      .read(whole.data(), static_cast<std::streamsize>(whole.size()));
  // The keys before the vocabulary, the tensors after it, and everything.
  const std::size_t tensors = whole.find("token_embd.weight") - 8;
  const std::size_t header = whole.rfind("blk.") + 64;
  const std::pair<std::size_t, std::size_t> regions[] = {
      {0, 1'024}, {tensors, header}, {0, header}};
  ASSERT_LT(tensors, header);
  std::mt19937 random(GetParam());
  for (int i = 0; i < 500; ++i) {
    const auto& [begin, end] = regions[i % 8 == 0 ? 2 : i % 2];
    std::string change(1 + random() % 8, '\0');
    const std::size_t at = begin + random() % (end - begin - change.size());
    for (char& byte : change) byte = static_cast<char>(random());
    if (i % 3 == 0) {  // one bit, the smallest damage
      change = whole.substr(at, 1);
      change[0] = static_cast<char>(change[0] ^ (1 << random() % 8));
    }
    ASSERT_NO_FATAL_FAILURE(mutator.survive(at, change)) << "at " << at;
  }
  EXPECT_GT(mutator.accepted, 50);
  EXPECT_GT(mutator.refused, 50);
}
INSTANTIATE_TEST_SUITE_P(, GgufFileSeeded, testing::Range(1u, 5u));

}  // namespace
}  // namespace lichen::model
