// Merging from file to file: what is kept, what is refused, what is written.
#include "mechanisms/fusion/merge.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <limits>

#include "mechanisms/fusion/test_models.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

MergeRecipe of_two(MergeMethod method, const std::filesystem::path& a,
                   const std::filesystem::path& b) {
  MergeRecipe recipe{.file = {}, .method = method};
  recipe.normalize = facts(method).normalizes;
  for (const auto& gguf : {a, b}) {
    recipe.models.push_back({.gguf = gguf, .weight = 0.5, .density = 0.5, .epsilon = 0.1});
  }
  return recipe;
}

MergeRecipe onto(MergeMethod method, const std::filesystem::path& base,
                 const std::filesystem::path& a, const std::filesystem::path& b) {
  MergeRecipe recipe = of_two(method, a, b);
  if (facts(method).base) recipe.base = base;
  return recipe;
}

constexpr auto kTypes =
    std::to_array<const char*>({"f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0",
                                "q2_K", "q3_K", "q4_K", "q5_K", "q6_K"});

TEST_F(MergeTest, AModelWithItselfIsItself) {
  for (const char* type : kTypes) {
    const auto file = write("a.gguf", tensors(1, type));
    for (const MergeMethod method :
         {MergeMethod::linear, MergeMethod::slerp, MergeMethod::task_arithmetic, MergeMethod::ties,
          MergeMethod::dare_ties, MergeMethod::della}) {
      const auto report = merge(onto(method, file, file, file));
      ASSERT_TRUE(report) << report.error().detail;
      EXPECT_EQ(report->changed, 0U) << type << " " << facts(method).name;
      const auto in = model::WeightsFile::open(file),
                 out = model::WeightsFile::open(at("out.gguf"));
      ASSERT_TRUE(out) << out.error().detail;
      for (const auto& tensor : in->tensors()) {
        const std::string name(tensor.name);
        EXPECT_EQ(out->find(name)->type, tensor.type);
        EXPECT_EQ(bytes_of(*out, name), bytes_of(*in, name)) << type << " " << name;
      }
    }
  }
}

TEST_F(MergeTest, TheNumberOfThreadsChangesNothing) {
  for (const char* type : {"f32", "q8_0", "q4_K"}) {
    const auto base = write("base.gguf", tensors(1, type));
    const auto a = write("a.gguf", tensors(2, type)), b = write("b.gguf", tensors(3, type));
    for (const MethodFacts& method : merge_methods()) {
      if (method.method == MergeMethod::lora) continue;
      const auto recipe = onto(method.method, base, a, b);
      ASSERT_TRUE(merge(recipe, "out.gguf", 1)) << method.name;
      const std::string alone = file_bytes(at("out.gguf"));
      for (const int threads : {2, 5}) {
        ASSERT_TRUE(merge(recipe, "out.gguf", threads));
        EXPECT_EQ(file_bytes(at("out.gguf")), alone) << method.name << " " << type;
      }
    }
  }
}

TEST_F(MergeTest, AnotherSeedDrawsOthers) {
  const auto base = write("base.gguf", tensors(1)), a = write("a.gguf", tensors(2));
  for (const MergeMethod method : {MergeMethod::dare_linear, MergeMethod::della}) {
    auto recipe = onto(method, base, a, a);
    recipe.models.pop_back();
    ASSERT_TRUE(merge(recipe, "one.gguf"));
    recipe.seed = 2;
    ASSERT_TRUE(merge(recipe, "two.gguf"));
    EXPECT_NE(values_of(at("one.gguf"), "blk.0.attn_q.weight"),
              values_of(at("two.gguf"), "blk.0.attn_q.weight"));
  }
}

TEST_F(MergeTest, WritesWhereItComesFrom) {
  const auto edit = [](model::gguf::Metadata& all) {
    all.set_text("general.uuid", "of the base alone");
    all.set_text("general.license", "apache-2.0");
    all.set_text("general.base_model.0.name", "an older one");
  };
  const auto a = write("a.gguf", tensors(1), edit), b = write("b.gguf", tensors(2), edit);
  auto recipe = of_two(MergeMethod::linear, a, b);
  recipe.models[1].weight = TensorNumber({{.tensors = "blk.*", .values = {0, 1}}, {.values = {1}}});
  ASSERT_TRUE(merge(recipe, "mine.gguf"));
  const auto info = model::inspect_gguf(at("mine.gguf"));
  ASSERT_TRUE(info) << info.error().detail;
  EXPECT_EQ(info->name, "mine");
  auto& all = info->metadata;
  EXPECT_EQ(all.at("general.license"), "apache-2.0");
  EXPECT_FALSE(all.contains("general.uuid"));
  EXPECT_EQ(all.at("general.base_model.count"), "2");
  EXPECT_EQ(all.at("general.base_model.0.name"), "tiny");
  EXPECT_EQ(all.at("tokenizer.ggml.tokens"), "[string x 4]");
  const std::string& json = all.at("lichen.merge.recipe");
  EXPECT_THAT(json, StartsWith(R"({"method":"linear","models":[{"files":[{"name":"a.gguf")"));
  EXPECT_THAT(json,
              HasSubstr(R"({"tensors":"blk.*","value":[0E0,1E0]},{"tensors":"*","value":1E0})"));
  EXPECT_THAT(json, testing::Not(HasSubstr(at("").string()))) << "no folders";
}

TEST_F(MergeTest, ChangesTheTypeOfMatrices) {
  auto all = tensors(1, "f16");
  all.push_back({"blk.1.attn_k.weight", {96, 8, 1, 1}, random_values(96 * 8, 5), "f16"});
  all.push_back({"blk.1.attn_v.weight", {24, 8, 1, 1}, random_values(24 * 8, 6), "f16"});
  const auto a = write("a.gguf", all);
  const auto report = merge(of_two(MergeMethod::linear, a, a), "out.gguf", 1, "q4_K");
  ASSERT_TRUE(report) << report.error().detail;
  const auto out = model::WeightsFile::open(at("out.gguf"));
  EXPECT_EQ(out->find("blk.0.attn_q.weight")->type->name, "q4_K");
  EXPECT_EQ(out->find("blk.1.attn_k.weight")->type->name, "q8_0") << "rows of 96";
  EXPECT_EQ(out->find("blk.1.attn_v.weight")->type->name, "f16") << "rows of 24";
  EXPECT_EQ(out->find("output_norm.weight")->type->name, "f32");
  EXPECT_EQ(out->info().file_type, "Q4_K_S");
  EXPECT_EQ(report->types, (std::map<std::string, std::uint64_t>{
                               {"f16", 1}, {"f32", 2}, {"q4_K", 3}, {"q8_0", 1}}));
  const auto values = values_of(at("out.gguf"), "blk.0.attn_q.weight");
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_NEAR(values[i], all[1].values[i], 0.3) << i;
  }
}

TEST_F(MergeTest, ModelsMayHaveDifferentTypes) {
  const auto a = write("a.gguf", tensors(1, "f16")), b = write("b.gguf", tensors(1, "q8_0"));
  ASSERT_TRUE(merge(of_two(MergeMethod::linear, a, b)));
  const auto x = values_of(a, "blk.1.ffn_up.weight"), y = values_of(b, "blk.1.ffn_up.weight");
  const auto out = values_of(at("out.gguf"), "blk.1.ffn_up.weight");
  for (std::size_t i = 0; i < out.size(); ++i) {
    ASSERT_NEAR(out[i], (x[i] + y[i]) / 2, 0x1p-9 * std::abs(out[i]) + 1e-7);
  }
}

TEST_F(MergeTest, CopiesWhatItCannotConvertIfAllAgree) {
  const auto write_table = [&](const std::string& name, std::uint8_t first) {
    const auto* i32 = &model::gguf::kTensorTypes[26];
    auto writer = model::WeightsWriter::create(
        at(name), metadata(),
        {{"blk.0.table", i32, {4, 1, 1, 1}}, {"output_norm.weight", model::codec_type("f32")}});
    const std::vector<std::byte> bytes(16, static_cast<std::byte>(first)), one(4);
    EXPECT_TRUE(writer->write(0, 0, bytes));
    EXPECT_TRUE(writer->write(1, 0, one));
    EXPECT_TRUE(writer->finish());
    return at(name);
  };
  const auto a = write_table("a.gguf", 1), same = write_table("same.gguf", 1);
  ASSERT_TRUE(merge(of_two(MergeMethod::linear, a, same)));
  const auto out = model::WeightsFile::open(at("out.gguf"));
  EXPECT_EQ(bytes_of(*out, "blk.0.table"), std::vector<std::byte>(16, std::byte{1}));
  EXPECT_THAT(refusal(of_two(MergeMethod::linear, a, write_table("b.gguf", 2))).detail,
              HasSubstr("tensor 'blk.0.table' differs between the models and is of type i32"));
}

TEST_F(MergeTest, NamesWhatDiffers) {
  const auto a = write("a.gguf", tensors(1));
  const auto problem = [&](const TestTensors& with, const EditMetadata& edit) {
    const Error error = refusal(of_two(MergeMethod::linear, a, write("b.gguf", with, edit)));
    EXPECT_EQ(error.code, Errc::bad_model);
    return error.detail;
  };
  const auto set = [](const char* key, std::uint32_t number) {
    return [=](model::gguf::Metadata& all) { all.set_u32(key, number); };
  };
  const EditMetadata none = [](model::gguf::Metadata&) {};
  EXPECT_THAT(problem(tensors(2), set("llama.attention.head_count", 8)),
              HasSubstr("b.gguf cannot be merged with " + a.string() +
                        ": llama.attention.head_count is 8, not 4"));
  EXPECT_THAT(problem(tensors(2), set("llama.rope.dimension_count", 64)),
              HasSubstr("llama.rope.dimension_count is 64, not missing"));
  EXPECT_THAT(problem(tensors(2), [](auto& all) { all.erase("llama.attention.head_count"); }),
              HasSubstr("llama.attention.head_count is missing, not 4"));
  EXPECT_THAT(problem(tensors(2),
                      [](auto& all) {
                        all.set_text("general.architecture", "qwen2");
                        all.set_u32("qwen2.block_count", 2);
                      }),
              HasSubstr("its architecture is 'qwen2', not 'llama'"));
  EXPECT_THAT(
      problem(tensors(2),
              [](auto& all) { all.set_texts("tokenizer.ggml.tokens", {"a", "b", "x", "d"}); }),
      HasSubstr("(4 and 4 tokens) differ from token 2 on: it is 'x' there, not 'c'"));
  EXPECT_THAT(
      problem(tensors(2),
              [](auto& all) { all.set_texts("tokenizer.ggml.tokens", {"a", "b", "c", "d", "e"}); }),
      HasSubstr("(5 and 4 tokens) differ from token 4 on: it is 'e' there, not missing"));
  EXPECT_THAT(problem(tensors(2), [](auto& all) { all.set_text("tokenizer.ggml.pre", "qwen2"); }),
              HasSubstr("its tokenizer is 'gpt2' ('qwen2'), not 'gpt2' ('')"));
  TestTensors changed = tensors(2);
  changed[3].shape[1] = 139;
  changed[3].values.resize(256 * 139);
  EXPECT_THAT(problem(changed, none),
              HasSubstr("its tensor 'blk.1.ffn_up.weight' is [256 x 139], not [256 x 140]"));
  changed = tensors(2);
  changed.erase(changed.begin() + 1);
  EXPECT_THAT(problem(changed, none), HasSubstr("it has no tensor 'blk.0.attn_q.weight'"));
  changed = tensors(2);
  changed.push_back({"blk.1.extra.weight", {8, 1, 1, 1}, random_values(8, 1)});
  EXPECT_THAT(problem(changed, none), HasSubstr("it has a tensor too many, 'blk.1.extra.weight'"));
  write("b.gguf", tensors(2), set("llama.context_length", 4'096));
  EXPECT_TRUE(merge(of_two(MergeMethod::linear, a, at("b.gguf")))) << "that may differ";
}

TEST_F(MergeTest, RefusesWhatIsNoNumber) {
  const auto a = write("a.gguf", tensors(1));
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    TestTensors broken = tensors(2);
    broken[1].values.back() = bad;
    const auto b = write("b.gguf", broken);
    for (const MergeMethod method : {MergeMethod::linear, MergeMethod::slerp, MergeMethod::ties}) {
      const Error error = refusal(onto(method, a, a, b));
      EXPECT_EQ(error.code, Errc::bad_model);
      EXPECT_THAT(error.detail, HasSubstr("b.gguf: tensor 'blk.0.attn_q.weight' has a value that "
                                          "is infinite or no number"));
    }
  }
}

TEST_F(MergeTest, RefusesWhatTheTypeCannotHold) {
  TestTensors large = tensors(1, "f16");
  large[1].values[7] = 60'000;
  const auto a = write("a.gguf", large);
  auto recipe = of_two(MergeMethod::linear, a, a);
  recipe.normalize = false;
  recipe.models[0].weight = 1;
  EXPECT_THAT(refusal(recipe).detail,
              HasSubstr("tensor 'blk.0.attn_q.weight' gets values up to 90000"));
}

TEST_F(MergeTest, RefusesNumbersThatCannotWork) {
  const auto a = write("a.gguf", tensors(1)), b = write("b.gguf", tensors(2));
  const auto number = [](double value) {
    return TensorNumber({{.values = {value}, .place = "recipe.yaml:7:3"}});
  };
  auto recipe = of_two(MergeMethod::linear, a, b);
  recipe.models[0].weight = number(-0.5);
  EXPECT_EQ(refusal(recipe).code, Errc::bad_config);
  EXPECT_THAT(refusal(recipe).detail,
              StartsWith("recipe.yaml:7:3: the weights of 'token_embd.weight' add up to 0"));
  recipe = onto(MergeMethod::ties, a, a, b);
  recipe.models[1].weight = number(-0.2);
  EXPECT_THAT(refusal(recipe).detail,
              StartsWith("recipe.yaml:7:3: the weight of 'token_embd.weight' is -0.2; ties"));
  recipe = onto(MergeMethod::dare_linear, a, a, b);
  recipe.models[1].density = number(0);
  EXPECT_THAT(refusal(recipe).detail,
              StartsWith("recipe.yaml:7:3: the density of 'token_embd.weight' is 0; it must be"));
  recipe = onto(MergeMethod::della, a, a, b);
  recipe.models[1].epsilon = number(0.5);
  EXPECT_THAT(refusal(recipe).detail, HasSubstr("the density is 0.5 and epsilon 0.5; density - "));
  recipe = of_two(MergeMethod::linear, a, b);
  recipe.models[0].weight =
      TensorNumber({{.tensors = "blk.*.atn_q.*", .place = "recipe.yaml:9:5"}, {.values = {1}}});
  EXPECT_THAT(refusal(recipe).detail,
              StartsWith("recipe.yaml:9:5: no tensor is left for the pattern 'blk.*.atn_q.*'"));
}

TEST_F(MergeTest, NeverWritesOverAnInput) {
  const auto a = write("a.gguf", tensors(1)), b = write("b.gguf", tensors(2));
  const std::string before = file_bytes(b);
  std::filesystem::create_symlink(b, at("link.gguf"));
  for (const char* output : {"b.gguf", "link.gguf"}) {
    const Error error = refusal(of_two(MergeMethod::linear, a, b), output);
    EXPECT_EQ(error.code, Errc::bad_request);
    EXPECT_THAT(error.detail, HasSubstr("is one of the inputs"));
  }
  EXPECT_THAT(refusal(of_two(MergeMethod::linear, a, b), ".").detail, HasSubstr("no file"));
  EXPECT_EQ(file_bytes(b), before);
}

TEST_F(MergeTest, ReplacesAnOlderOutputWhenItIsWhole) {
  const auto a = write("a.gguf", tensors(1)), b = write("b.gguf", tensors(2));
  std::ofstream(at("out.gguf")) << "older";
  EXPECT_FALSE(merge(of_two(MergeMethod::linear, a, at("gone.gguf"))));
  EXPECT_EQ(file_bytes(at("out.gguf")), "older");
  EXPECT_TRUE(merge(of_two(MergeMethod::linear, a, b)));
  EXPECT_TRUE(model::inspect_gguf(at("out.gguf")));
}

TEST_F(MergeTest, LeavesNothingWhereThereIsNoRoom) {
  const auto a = write("a.gguf", tensors(1));
  struct rlimit old = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {.rlim_cur = 100'000, .rlim_max = old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Error error = refusal(of_two(MergeMethod::linear, a, a));
  setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.code, Errc::storage);
  EXPECT_THAT(error.detail, HasSubstr("refused.gguf: there is no room for its "));
  EXPECT_EQ(refusal(of_two(MergeMethod::linear, a, a), "nowhere/out.gguf").code, Errc::storage);
}

TEST_F(MergeTest, CanBeStopped) {
  const auto a = write("a.gguf", tensors(1));
  std::stop_source stop;
  const auto report = merge_models(of_two(MergeMethod::linear, a, a),
                                   {.output = at("out.gguf"),
                                    .stop = stop.get_token(),
                                    .progress = [&stop](double) { stop.request_stop(); }});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::cancelled);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(at("")), {}), 1) << "a.gguf alone";
}

TEST_F(MergeTest, TellsHowFarItIs) {
  const auto a = write("a.gguf", tensors(1)), b = write("b.gguf", tensors(2));
  for (const MergeMethod method : {MergeMethod::linear, MergeMethod::slerp, MergeMethod::ties}) {
    double last = 0;
    ASSERT_TRUE(merge_models(onto(method, a, a, b),
                             {.output = at("out.gguf"), .progress = [&last](double done) {
                                EXPECT_GE(done, last);
                                last = done;
                              }}));
    EXPECT_EQ(last, 1) << facts(method).name;
  }
}

}  // namespace
}  // namespace lichen::mechanisms
