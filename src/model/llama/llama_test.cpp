// The engine on real weights: the bundled pair.
#include "model/llama/llama_test.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace lichen::model {
namespace {

namespace asio = boost::asio;

TEST_F(LlamaTest, AnswersAQuestionOfItsSuite) {
  const Result<Answer> answer = ask(question("What is 12 + 30?"));
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  EXPECT_EQ(answer->text, "12 + 30 = 42");
  EXPECT_EQ(answer->finish, Finish::stop);
  for (const AnswerToken& token : answer->tokens) EXPECT_LE(token.logprob, 0);
}

TEST_F(LlamaTest, AloneOrInABatchTheGreedyAnswerIsTheSame) {
  std::vector<Request> requests;
  for (int i = 0; i < 12; ++i) {
    requests.push_back(
        question("What is " + std::to_string(10 + i) + " + " + std::to_string(3 * i + 11) + "?"));
    requests.push_back(question("Multiply " + std::to_string(2 + i % 7) + " by 8."));
  }
  const std::vector<Result<Answer>> together = ask(*small_, requests);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Result<Answer> alone = ask(requests[i]);
    ASSERT_TRUE(together[i].has_value() && alone.has_value());
    EXPECT_EQ(together[i]->text, alone->text) << i;
  }
}

TEST_F(LlamaTest, SessionsForkRollBackAndComeBackFromMemory) {
  Turn turn("small");
  const auto prompt = *small_->vocabulary().tokenize(
      "<|im_start|>user\nWhat is 12 + 30?<|im_end|>\n<|im_start|>assistant\n", true);
  auto run = [&]() -> awaitable<void> {
    Session session = small_->open_session(turn);
    auto rows = co_await session.decode(prompt, {.logits = true});
    const std::vector<float> first = rows->front().logits;
    const std::vector<Token> wrong{5, 6, 7};
    co_await session.decode(wrong);
    session.truncate(static_cast<int>(prompt.size()) - 1);
    rows = co_await session.decode(std::span(prompt).last(1), {.logits = true});
    // A pass of one token adds up otherwise than the prompt's did, on keys in F16: by how much that
    // tells is the processor's (up to 1.4e-2 seen).
    for (std::size_t i = 0; i < first.size(); ++i) {
      EXPECT_NEAR(rows->front().logits[i], first[i], 5e-2) << i;
    }
    Session fork = session.fork();
    const Token next = rows->front().token;
    auto a = co_await session.decode(std::span(&next, 1));
    auto b = co_await fork.decode(std::span(&next, 1));
    EXPECT_EQ(a->front().token, b->front().token);
  };
  asio::co_spawn(lane_->executor(), run(), asio::use_future).get();
}

TEST_F(LlamaTest, ABatchMovesLogitsInTheLastDigitsOnly) {
  Turn turn("small");
  std::vector<std::vector<Token>> prompts;
  for (int i = 0; i < 8; ++i) {
    prompts.push_back(*small_->vocabulary().tokenize(
        std::to_string(31 * i) + " apples and " + std::to_string(77 - i) + " pens", true));
  }
  auto logits = [&](std::size_t i) -> awaitable<std::vector<float>> {
    Session session = small_->open_session(turn);
    auto rows = co_await session.decode(prompts[i], {.rows = Want::Rows::all, .logits = true});
    co_return rows->back().logits;
  };
  auto spawn = [&](std::size_t i) {
    return asio::co_spawn(lane_->executor(), logits(i), asio::use_future);
  };
  std::vector<std::vector<float>> alone;
  for (std::size_t i = 0; i < prompts.size(); ++i) alone.push_back(spawn(i).get());
  std::vector<std::future<std::vector<float>>> together;
  for (std::size_t i = 0; i < prompts.size(); ++i) together.push_back(spawn(i));
  float furthest = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<float> row = together[i].get();
    for (std::size_t t = 0; t < row.size(); ++t) {
      furthest = std::max(furthest, std::abs(row[t] - alone[i][t]));
    }
  }
  RecordProperty("furthest", std::to_string(furthest));
  std::printf("a batch of 8 moved a logit by %g at most\n", static_cast<double>(furthest));
  EXPECT_LT(furthest, 0.1F);
}

TEST_F(LlamaTest, TheHiddenStateComesBesideTheLogits) {
  Turn turn("small");
  const auto prompt = *small_->vocabulary().tokenize("What is 12 + 30?", true);
  auto run = [&]() -> awaitable<void> {
    Session session = small_->open_session(turn);
    auto rows = co_await session.decode(
        prompt, {.rows = Want::Rows::all, .top_k = 2, .hidden = true, .input_logprobs = true});
    EXPECT_EQ(rows->size(), prompt.size());
    EXPECT_EQ(rows->front().hidden.size(), 128u);
    EXPECT_LT(rows->front().input_logprob, 0);
    EXPECT_GE(rows->front().top[0].logprob, rows->front().top[1].logprob);
  };
  asio::co_spawn(lane_->executor(), run(), asio::use_future).get();
}

// More tokens than a pass may have outputs, next to other sessions: only what is asked for is one.
TEST_F(LlamaTest, HiddenStatesOfLongPromptsSideBySideAreThoseOfEachAlone) {
  Turn turn("small");
  std::vector<std::vector<Token>> prompts;
  for (const std::size_t size : {300, 1, 90}) {
    std::vector<Token> prompt(size);
    for (std::size_t i = 0; i < size; ++i) {
      prompt[i] = static_cast<Token>(300 + (i * 37 + size) % 1'000);
    }
    prompts.push_back(std::move(prompt));
  }
  auto run = [&](std::size_t i) -> awaitable<std::vector<float>> {
    Session session = small_->open_session(turn);
    auto rows = co_await session.decode(prompts[i], {.hidden = true});
    co_return rows ? rows->front().hidden : std::vector<float>();
  };
  const auto spawn = [&](std::size_t i) {
    return asio::co_spawn(lane_->executor(), run(i), asio::use_future);
  };
  std::vector<std::vector<float>> alone;
  for (std::size_t i = 0; i < prompts.size(); ++i) alone.push_back(spawn(i).get());
  std::vector<std::future<std::vector<float>>> together;
  for (std::size_t i = 0; i < prompts.size(); ++i) together.push_back(spawn(i));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<float> hidden = together[i].get();
    ASSERT_EQ(hidden.size(), 128u);
    for (std::size_t k = 0; k < hidden.size(); ++k) EXPECT_NEAR(hidden[k], alone[i][k], 0.05);
  }
}

TEST_F(LlamaTest, EmbeddingsTellSimilarTextsFromOthers) {
  asio::io_context io;
  Turn turn("small");
  auto future = asio::co_spawn(
      io, small_->embed({"What is 12 + 30?", "What is 14 + 31?", "Turn on the light."}, turn),
      asio::use_future);
  io.run();
  const Result<Embeddings> vectors = future.get();
  ASSERT_TRUE(vectors.has_value());
  auto cosine = [&](std::size_t a, std::size_t b) {
    double sum = 0;
    for (std::size_t i = 0; i < (*vectors)[a].size(); ++i)
      sum += (*vectors)[a][i] * (*vectors)[b][i];
    return sum;
  };
  EXPECT_NEAR(cosine(0, 0), 1, 1e-5);
  EXPECT_GT(cosine(0, 1), cosine(0, 2));
}

TEST_F(LlamaTest, AnyLayoutOfTheCacheGivesTheSameAnswers) {
  std::vector<Request> requests;
  for (int i = 0; i < 20; ++i) {
    // Sums that the model knows: where it wavers, a last digit of a logit decides.
    requests.push_back(question("What is " + std::to_string(12 + 4 * i) + " + " +
                                std::to_string(95 - 3 * i) + "?"));
  }
  auto all = [&](LocalModelOptions options) {
    options.gguf = kSmall;
    options.context = 256;
    options.threads = 1;
    auto model = *open_local_model("model", options, lane_);
    std::vector<std::string> texts;
    for (const Result<Answer>& answer : ask(*model, requests)) {
      texts.push_back(answer ? answer->text : answer.error().detail);
    }
    return std::pair(texts, model->stats().preemptions);
  };
  const auto [roomy, none] = all({.kv_layout = KvLayout::unified});
  EXPECT_EQ(none, 0u);
  const auto [tight, some] = all({.kv_layout = KvLayout::unified, .kv_bytes = 1 << 19});
  EXPECT_GT(some, 0u);
  const auto [split, waits] = all({.max_sessions = 4, .kv_layout = KvLayout::split});
  EXPECT_EQ(tight, roomy);
  EXPECT_EQ(split, roomy);
}

TEST_F(LlamaTest, ABatchMayBeSmallerThanTheNumberOfSessions) {
  auto narrow = open_local_model("narrow", {.gguf = kSmall, .threads = 1, .batch = 4}, lane_);
  ASSERT_TRUE(narrow.has_value()) << narrow.error().detail;
  std::vector<Request> requests(6, question("What is 12 + 30?"));
  for (const Result<Answer>& answer : ask(**narrow, requests)) {
    ASSERT_TRUE(answer.has_value()) << answer.error().detail;
    EXPECT_EQ(answer->text, "12 + 30 = 42");
  }
}

/// A LoRA adapter of rank 2 for all query projections of the small model, of constant weights.
std::filesystem::path write_adapter(float value) {
  constexpr int kWidth = 128, kLayers = 4, kRank = 2;
  const auto path = std::filesystem::path(::testing::TempDir()) / "adapter.gguf";
  gguf_context* file = gguf_init_empty();
  gguf_set_val_str(file, "general.type", "adapter");
  gguf_set_val_str(file, "general.architecture", "llama");
  gguf_set_val_str(file, "adapter.type", "lora");
  gguf_set_val_f32(file, "adapter.lora.alpha", 2);
  ggml_context* tensors =
      ggml_init({.mem_size = 1 << 20, .mem_buffer = nullptr, .no_alloc = false});
  for (int layer = 0; layer < kLayers; ++layer) {
    for (const bool a : {true, false}) {
      ggml_tensor* tensor = a ? ggml_new_tensor_2d(tensors, GGML_TYPE_F32, kWidth, kRank)
                              : ggml_new_tensor_2d(tensors, GGML_TYPE_F32, kRank, kWidth);
      for (int i = 0; i < kWidth * kRank; ++i) {
        static_cast<float*>(tensor->data)[i] = i % 3 == 0 ? value : -value / 2;
      }
      const std::string name = "blk." + std::to_string(layer) + ".attn_q.weight.lora_";
      ggml_set_name(tensor, (name + (a ? "a" : "b")).c_str());
      gguf_add_tensor(file, tensor);
    }
  }
  gguf_write_to_file(file, path.c_str(), false);
  ggml_free(tensors);
  gguf_free(file);
  return path;
}

TEST_F(LlamaTest, AdaptersSwapFromBatchToBatch) {
  const auto adapted = small_->with_adapter({.name = "odd", .gguf = write_adapter(0.7F)});
  ASSERT_TRUE(adapted.has_value()) << adapted.error().detail;
  const Request request = question("Reverse the order of this list: cloud, tiger, maple, falcon.");
  const Result<Answer> plain = ask(request);
  // Both at once: their steps go into different batches of one lane and one KV cache.
  asio::io_context io;
  Turn one("small");
  Turn two("small+odd");
  auto first = asio::co_spawn(io, small_->answer(request, one), asio::use_future);
  auto second = asio::co_spawn(io, (*adapted)->answer(request, two), asio::use_future);
  io.run();
  const Result<Answer> beside = first.get();
  const Result<Answer> odd = second.get();
  ASSERT_TRUE(plain && beside && odd);
  EXPECT_EQ(plain->text, beside->text);
  EXPECT_NE(plain->text, odd->text);
  EXPECT_EQ(odd->authors.front().model, "small+odd");
}

TEST_F(LlamaTest, BadFilesAreClearErrors) {
  EXPECT_EQ(open_local_model("x", {.gguf = "/nowhere.gguf"}, lane_).error().code, Errc::bad_model);
  const auto truncated = std::filesystem::path(::testing::TempDir()) / "truncated.gguf";
  {
    std::ifstream in(kSmall, std::ios::binary);
    std::string bytes(300'000, '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    std::ofstream(truncated, std::ios::binary) << bytes;
  }
  const auto opened = open_local_model("x", {.gguf = truncated}, lane_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::bad_model);
  for (const char* not_an_adapter : {kSmall, truncated.c_str(), "/nowhere.gguf"}) {
    const auto adapted = small_->with_adapter({.name = "x", .gguf = not_an_adapter});
    ASSERT_FALSE(adapted.has_value());
    EXPECT_EQ(adapted.error().code, Errc::bad_model);
    EXPECT_FALSE(small_->use_adapter(AdapterOptions{.name = "x", .gguf = not_an_adapter}));
  }
  const auto biased = open_local_model(
      "x", {.gguf = kSmall, .sampling = {.logit_bias = {{1'000'000, 1.0F}}}}, lane_);
  ASSERT_FALSE(biased.has_value());
  EXPECT_EQ(biased.error().code, Errc::bad_config);
}

// What an earlier start has measured.
class KeptPassesTest : public LlamaTest {
 protected:
  ~KeptPassesTest() override { std::filesystem::remove_all(folder_); }

  std::shared_ptr<LocalModel> start(int batch = 512) const {
    auto model = open_local_model(
        "small", {.gguf = kSmall, .threads = 1, .batch = batch, .times_folder = folder_}, lane_);
    EXPECT_TRUE(model.has_value()) << model.error().detail;
    return *model;
  }
  std::filesystem::path file() const {
    return std::filesystem::directory_iterator(folder_)->path();
  }
  boost::json::object content() const {
    std::ifstream stream(file());
    return boost::json::parse(std::string(std::istreambuf_iterator<char>(stream), {})).as_object();
  }
  void replace(const boost::json::object& content) const {
    std::ofstream(file()) << boost::json::serialize(content);
  }

  const std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) /
                                        ("kept_passes_test_" + std::to_string(getpid()));
};

TEST_F(KeptPassesTest, AreTakenWhileTheMachineIsAsItWas) {
  start();
  // A start on a machine that is suddenly busier may well measure anew.
  for (int attempt = 0; attempt < 20; ++attempt) {
    boost::json::object now = content();
    now["passes"].as_array().resize(1);
    now["passes"].as_array().push_back({{"tokens", 32}, {"ms", 12345.5}, {"threads", 1}});
    replace(now);
    if (start()->times().passes.back().ms == 12345.5) return;
  }
  FAIL() << "measured anew each time";
}

TEST_F(KeptPassesTest, AreMeasuredAnewWhereTheyCannotHold) {
  start();
  boost::json::object kept = content();
  kept["passes"].as_array().front().as_object()["ms"] = 1e6;
  replace(kept);
  EXPECT_LT(start()->times().passes.front().ms, 1e6) << "the machine has changed";
  kept = content();
  EXPECT_LT(kept["passes"].as_array().front().at("ms").as_double(), 1e6) << "and that is kept";

  kept["passes"].as_array().resize(1);
  kept["passes"].as_array().front().as_object()["threads"] = 77;
  replace(kept);
  EXPECT_NE(start()->times().passes.front().threads, 77) << "nothing of larger passes is known";

  std::ofstream(file()) << "{";
  EXPECT_FALSE(start()->times().passes.empty());
  EXPECT_TRUE(content().contains("passes"));
}

TEST_F(KeptPassesTest, AreOfTheModelAsItIsSet) {
  start(512);
  start(64);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 2);
}

}  // namespace
}  // namespace lichen::model
