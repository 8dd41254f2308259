#include "cli/models_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

namespace lichen::cli {
namespace {

using testing::HasSubstr;

Overlap compare(std::string_view tokenizer_a, std::vector<std::string> a,
                std::string_view tokenizer_b, std::vector<std::string> b) {
  return compare_vocabularies({std::string(tokenizer_a), a}, {std::string(tokenizer_b), b});
}

TEST(ModelsView, TokensAreReadInTheirTokenizersSpelling) {
  EXPECT_EQ(token_text("gpt2", "\u0120the"), " the");
  EXPECT_EQ(token_text("gpt2", "\u010A"), "\n");
  EXPECT_EQ(token_text("gpt2", "<|im_end|>"), "<|im_end|>");
  EXPECT_EQ(token_text("gpt2", "\u00C3\u00A9"), "\xC3\xA9") << "the two bytes of e acute";
  EXPECT_EQ(token_text("gpt2", "\u4E00"), "\u4E00") << "not byte-level: left as it is";
  EXPECT_EQ(token_text("gpt2", "\xC4"), "\xC4") << "cut";
  EXPECT_EQ(token_text("llama", "\u2581the"), " the");
  EXPECT_EQ(token_text("llama", "<0x0A>"), "\n");
  EXPECT_EQ(token_text("llama", "<0xZZ>"), "<0xZZ>");
  EXPECT_EQ(token_text("bert", "\u2581the"), "\u2581the");
}

TEST(ModelsView, TheSameVocabulary) {
  const auto overlap = compare("gpt2", {"a", "\u0120b"}, "llama", {"a", "\u2581b"});
  EXPECT_TRUE(overlap.same_vocabulary());
  EXPECT_EQ(overlap.id_share(), 1);
  EXPECT_EQ(overlap.piece_share(), 1);
  EXPECT_EQ(speculation_in_words(overlap),
            "can draft token by token: the vocabularies are the same");
}

TEST(ModelsView, ALongerVocabularyIsNotTheSame) {
  const auto overlap = compare("", {"a", "b"}, "", {"a", "b", "c", "c"});
  EXPECT_FALSE(overlap.same_vocabulary());
  EXPECT_DOUBLE_EQ(overlap.id_share(), 0.5);
  EXPECT_DOUBLE_EQ(overlap.piece_share(), 2.0 / 3);
  EXPECT_THAT(speculation_in_words(overlap), HasSubstr("66.7 % of the pieces are shared"));
}

TEST(ModelsView, OrderMattersForTokensAndNotForPieces) {
  const auto overlap = compare("", {"a", "b"}, "", {"b", "a"});
  EXPECT_FALSE(overlap.same_vocabulary());
  EXPECT_EQ(overlap.id_share(), 0);
  EXPECT_EQ(overlap.piece_share(), 1);
  EXPECT_EQ(speculation_in_words(overlap),
            "could draft across vocabularies: 100.0 % of the pieces are shared");
}

TEST(ModelsView, WithoutAVocabulary) {
  const auto overlap = compare("", {}, "", {"a"});
  EXPECT_EQ(overlap.id_share(), 0);
  EXPECT_EQ(speculation_in_words(overlap), "cannot work: one of the files has no vocabulary");
  EXPECT_EQ(speculation_in_words({}), "cannot work: one of the files has no vocabulary");
}

TEST(ModelsView, OverlapForPeople) {
  EXPECT_EQ(overlap_text(compare("", {"a", "b"}, "", {"a", "c", "d", "b"})),
            "vocabularies   2 and 4 tokens, not the same\n"
            "same tokens    1 ids mean the same in both (25.0 %)\n"
            "shared pieces  2 texts are in both: 100.0 % of the first's, 50.0 % of the second's\n"
            "speculate      cannot work: 50.0 % of the pieces are shared, 90.0 % are needed\n");
}

model::GgufInfo tiny() {
  model::GgufInfo info;
  info.version = 3;
  info.file_bytes = 2'100'000;
  info.type = "model";
  info.architecture = "llama";
  info.file_type = "F16";
  info.parameters = 1'000'000;
  info.tensors = 3;
  info.shares = {{"f16", {2, 999'000, 1'998'000}}, {"f32", {1, 1'000, 4'000}}};
  info.context_length = 1'024;
  info.vocabulary = 2'048;
  info.tokenizer = "gpt2";
  info.pre_tokenizer = "smollm";
  info.chat_template = "{{ messages }}";
  return info;
}

TEST(ModelsView, InfoForPeople) {
  EXPECT_EQ(info_text(tiny(), "tiny.gguf", Terminal{}),
            "file           tiny.gguf, GGUF version 3\n"
            "size           2.1 MB\n"
            "architecture   llama\n"
            "parameters     1.00 M\n"
            "quantization   F16\n"
            "context        1,024\n"
            "vocabulary     2,048 tokens, gpt2, smollm\n"
            "chat template  yes\n"
            "\n"
            "tensors  number  parameters   bytes\n"
            "f16           2     999,000  2.0 MB\n"
            "f32           1       1,000  4.0 kB\n");
}

TEST(ModelsView, InfoWithoutATokenizer) {
  auto info = tiny();
  info.tokenizer = "no_vocab";
  info.chat_template.clear();
  const auto text = info_text(info, "tiny.gguf", Terminal{});
  EXPECT_THAT(text, HasSubstr("vocabulary     none: it cannot read text\n"));
  EXPECT_THAT(text, HasSubstr("chat template  no\n"));
}

TEST(ModelsView, Json) {
  const auto info = to_json(tiny(), "tiny.gguf");
  EXPECT_EQ(info.at("parameters"), 1'000'000u);
  EXPECT_EQ(info.at("chat_template"), true);
  EXPECT_EQ(info.at("tensors").at("f16").at("tensors"), 2u);
  const auto overlap = to_json(compare("", {"a"}, "", {"a"}));
  EXPECT_EQ(overlap.at("same_vocabulary"), true);
  EXPECT_EQ(overlap.at("tokens").at(1), 1u);
}

}  // namespace
}  // namespace lichen::cli
