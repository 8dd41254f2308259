#include "cli/distill/train_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace lichen::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TrainOptions parsed(std::vector<std::string> arguments) {
  TrainOptions options;
  CLI::App command;
  add_options(command, options);
  for (const char* needed : {"--student=s.gguf", "--data=d.jsonl", "-o", "out.gguf"}) {
    arguments.emplace_back(needed);
  }
  std::ranges::reverse(arguments);
  command.parse(arguments);
  return options;
}

TEST(TrainOptions, AnAdapterSaysWhatItIs) {
  const auto lora = parse_lora("rank=4,alpha=12.5,targets=attn_q+ffn_down");
  ASSERT_TRUE(lora) << lora.error().detail;
  EXPECT_EQ(lora->rank, 4);
  EXPECT_EQ(lora->alpha, 12.5);
  EXPECT_THAT(lora->targets, ElementsAre("attn_q", "ffn_down"));
  EXPECT_EQ(parse_lora("rank=2")->targets.size(), 7u);
  EXPECT_EQ(parse_lora("rank=2")->alpha, 16);
  for (const char* wrong :
       {"rank=0", "rank=4x", "alpha=0", "alpha=nan", "size=3", "targets=", "targets=attn_q+wq"}) {
    EXPECT_FALSE(parse_lora(wrong)) << wrong;
  }
  EXPECT_THAT(parse_lora("targets=wq").error().detail, HasSubstr("there are attn_q, attn_k"));
}

TEST(TrainOptions, AnAdapterIsSaidAsItIsRead) {
  for (const char* text : {"rank=8,alpha=16", "rank=4,alpha=12.5,targets=attn_q+ffn_down"}) {
    EXPECT_EQ(lora_text(*parse_lora(text)), text);
  }
  EXPECT_EQ(lora_text(*parse_lora("targets=ffn_down+attn_q+attn_q")),
            "rank=8,alpha=16,targets=attn_q+ffn_down");
}

TEST(TrainOptions, WhatGoesOnFromAnAdapterIsMadeAsThatIs) {
  const training::LoraOptions begun{.rank = 4, .alpha = 6, .targets = {"attn_q", "attn_v"}};
  EXPECT_EQ(method_of(parsed({"--from=a.gguf"}), begun)->lora, begun);
  EXPECT_TRUE(method_of(parsed({"--from=a.gguf", "--lora=rank=4,targets=attn_v+attn_q"}), begun));
  const auto other = method_of(parsed({"--from=a.gguf", "--lora=rank=8"}), begun);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::bad_request);
  EXPECT_THAT(other.error().detail,
              HasSubstr("a.gguf, which is rank=4,alpha=6,targets=attn_q+attn_v"));
}

TEST(TrainOptions, DataMayHaveAWeight) {
  EXPECT_EQ(parse_data("chats.jsonl")->file, "chats.jsonl");
  EXPECT_EQ(parse_data("chats.jsonl")->weight, 1);
  EXPECT_EQ(parse_data("a/large.safetensors=0.7")->file, "a/large.safetensors");
  EXPECT_EQ(parse_data("a/large.safetensors=0.7")->weight, 0.7);
  EXPECT_EQ(parse_data("seed=3.jsonl=1")->file, "seed=3.jsonl");
  for (const char* wrong : {"a=", "a=0", "a=-1", "a=inf", "a=nan", "a=1e-60", "a=1e60", "a=0.5x"}) {
    const auto data = parse_data(wrong);
    ASSERT_FALSE(data) << wrong;
    EXPECT_EQ(data.error().code, Errc::bad_request);
  }
  EXPECT_THAT(parse_data("seed=3.jsonl").error().detail, HasSubstr("seed=3.jsonl=1"));
}

TEST(TrainOptions, ARunHasAnEnd) {
  EXPECT_THAT(trainer_options_of(parsed({})).error().detail, HasSubstr("--steps, --epochs or"));
  EXPECT_FALSE(trainer_options_of(parsed({"--steps=3", "--epochs=1"})));
  const auto timed = trainer_options_of(parsed({"--minutes=0.5", "--checkpoint=run"}));
  ASSERT_TRUE(timed) << timed.error().detail;
  EXPECT_EQ(timed->within.count(), 30);
  EXPECT_EQ(timed->steps, 0);
  EXPECT_EQ(timed->checkpoint, "run/checkpoint.gguf");
}

TEST(TrainOptions, TheRateIsTheMethodsUnlessGiven) {
  const auto rate = [](std::vector<std::string> arguments) {
    arguments.emplace_back("--steps=1");
    return trainer_options_of(parsed(std::move(arguments)))->schedule.learning_rate;
  };
  EXPECT_GT(rate({}), rate({"--full"}));
  EXPECT_EQ(rate({"--full", "--learning-rate=0.5"}), 0.5);
}

TEST(TrainOptions, LossesAreChecked) {
  EXPECT_FALSE(trainer_options_of(parsed({"--steps=1", "--loss=kl"})));
  EXPECT_FALSE(trainer_options_of(parsed({"--steps=1", "--loss=jsd", "--beta=1"})));
  const auto jsd = trainer_options_of(parsed({"--steps=1", "--loss=jsd", "--beta=0.3"}));
  EXPECT_EQ(jsd->loss.kind, training::LossKind::jsd);
  EXPECT_EQ(jsd->loss.beta, 0.3);
}

TEST(TrainOptions, WhatDoesNotGoTogetherIsRefused) {
  EXPECT_THROW(parsed({"--full", "--lora=rank=2"}), CLI::ParseError);
  EXPECT_THROW(parsed({"--full", "--from=a.gguf"}), CLI::ParseError);
  EXPECT_THROW(parsed({"--type=f16"}), CLI::ParseError);
  EXPECT_TRUE(method_of(parsed({"--full", "--type=bf16"}))->bf16);
}

}  // namespace
}  // namespace lichen::cli
