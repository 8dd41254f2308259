// Runs of the trainer on small students of random weights.
#include "mechanisms/distillation/training/trainer.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <utility>

#include "base/sha256.h"
#include "mechanisms/distillation/training/student_output.h"
#include "mechanisms/distillation/training/test_students.h"
#include "model/open_local_model.h"

namespace lichen::training {
namespace {

using testing::HasSubstr;

/// To be answered with the prompt's last token, three times: easy to learn.
std::vector<Example> echo_examples(std::size_t count) {
  std::mt19937 random(5);
  std::vector<Example> examples(count);
  for (Example& example : examples) {
    const std::size_t length = 2 + random() % 6;
    for (std::size_t i = 0; i < length; ++i) {
      example.prompt.push_back(static_cast<Token>(1 + random() % 20));
    }
    example.answer.assign(3, example.prompt.back());
  }
  return examples;
}

void ignore(const Progress&) {}

class TrainerTest : public StudentTest {
 protected:
  static TrainerOptions options(std::int64_t steps) {
    return {.schedule = {.learning_rate = 3e-3}, .steps = steps, .batch_tokens = 64};
  }
  Result<TrainingReport> train(Engine& engine, const TrainerOptions& options,
                               std::stop_token stop = {}) const {
    return Trainer(engine, examples_, {}, options, {{"student", "tiny"}}).run(ignore, stop);
  }
  static std::vector<double> losses(const TrainingReport& report) {
    std::vector<double> losses;
    for (const CurvePoint& point : report.state.curve) losses.push_back(point.loss);
    return losses;
  }
  static Weights weights(const Engine& engine) {
    Weights all;
    for (std::size_t i = 0; i < engine.trained().size(); ++i) {
      all.emplace_back(static_cast<std::size_t>(engine.trained()[i].elements));
      engine.read(i, Slot::value, all.back().data());
    }
    return all;
  }

  /// Token 30 three times as likely as token 31, after any prompt.
  std::vector<Example> taught_examples() const {
    auto examples = examples_;
    for (Example& example : examples) {
      example.answer.assign(1, 30);
      example.width = 2;
      example.logprobs = {std::log(0.72F), std::log(0.24F)};
      example.ids = {30, 31};
      example.tail = {std::log(0.04F)};
    }
    return examples;
  }

  const std::vector<Example> examples_ = echo_examples(60);
};

TEST_F(TrainerTest, LearnsInEveryMethod) {
  const auto student = random_student("llama");
  for (const TrainingMethod& method :
       {TrainingMethod{.full = true}, TrainingMethod{.full = true, .bf16 = true},
        TrainingMethod{.lora = {.rank = 4}}, TrainingMethod{.lora = {.rank = 4}, .bf16 = true}}) {
    Engine engine = engine_of(student, method);
    const auto report = train(engine, options(40));
    ASSERT_TRUE(report) << report.error().detail;
    const auto curve = losses(*report);
    EXPECT_EQ(curve.size(), 40u);
    EXPECT_LT(curve.back(), (method.full ? 0.5 : 0.9) * curve.front())
        << (method.full ? "full" : "lora") << (method.bf16 ? " bf16" : "");
  }
}

TEST_F(TrainerTest, AnInterruptedRunIsTheUninterruptedOneToTheBit) {
  const auto student = random_student("qwen2");
  for (const bool full : {true, false}) {
    const TrainingMethod method{.full = full, .bf16 = !full};
    Engine whole = engine_of(student, method);
    const auto uninterrupted = train(whole, options(30));
    ASSERT_TRUE(uninterrupted);
    auto with_file = options(30);
    with_file.checkpoint = at(full ? "full.gguf" : "lora.gguf");
    with_file.checkpoint_every = 7;
    std::optional<TrainingReport> last;
    for (const std::int64_t until : {11, 19, 30}) {
      Engine engine = engine_of(student, method);  // as a new process has it
      std::stop_source stop;
      const auto report = Trainer(engine, examples_, {}, with_file, {{"student", "tiny"}})
                              .run(
                                  [&](const Progress& now) {
                                    if (now.state->step == until) stop.request_stop();
                                  },
                                  stop.get_token());
      if (until < 30) {
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code, Errc::cancelled);
      } else {
        ASSERT_TRUE(report) << report.error().detail;
        EXPECT_EQ(report->resumed_at, 19);
        EXPECT_EQ(losses(*report), losses(*uninterrupted));
        EXPECT_EQ(weights(engine), weights(whole));
      }
    }
  }
}

TEST_F(TrainerTest, AccumulatedBatchesAreOneLargeBatch) {
  const auto student = random_student("llama");
  std::vector<Weights> results;
  for (const bool together : {true, false}) {
    Engine engine = engine_of(student, {.full = true});
    auto chosen = options(1);
    chosen.schedule.warmup = 0;
    chosen.batch_tokens = together ? 100'000 : 40;
    chosen.accumulate = together ? 1 : static_cast<int>(BatchOrder(examples_, 40, 1).batches(1));
    chosen.adamw.epsilon = 1e-3;  // so that the step's size depends on the gradient's
    ASSERT_TRUE(train(engine, chosen));
    results.push_back(weights(engine));
  }
  double furthest = 0;
  for (std::size_t i = 0; i < results[0].size(); ++i) {
    for (std::size_t k = 0; k < results[0][i].size(); ++k) {
      furthest = std::max(furthest, double{std::abs(results[0][i][k] - results[1][i][k])});
    }
  }
  EXPECT_LT(furthest, 2e-6);
}

TEST_F(TrainerTest, AnotherRunsCheckpointIsRefused) {
  const auto student = random_student("llama");
  auto chosen = options(3);
  chosen.checkpoint = at("run.gguf");
  Engine engine = engine_of(student, {});
  ASSERT_TRUE(train(engine, chosen));
  chosen.schedule.learning_rate = 1e-3;
  const auto report = train(engine, chosen);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::bad_request);
  EXPECT_THAT(report.error().detail, HasSubstr("its learning_rate is 3E-3, here it is 1E-3"));
}

TEST_F(TrainerTest, OneRunAtATimeHasACheckpoint) {
  const auto file = at("run") / "checkpoint.gguf";
  auto first = lock_checkpoint(file);
  ASSERT_TRUE(first) << first.error().detail;
  const auto second = lock_checkpoint(file);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::overloaded);
  EXPECT_THAT(second.error().detail, HasSubstr("another run is at work on this checkpoint"));
  EXPECT_TRUE(lock_checkpoint(at("other") / "checkpoint.gguf"));
  first = fail(Errc::cancelled, "ended");
  EXPECT_TRUE(lock_checkpoint(file));
}

TEST_F(TrainerTest, ALossThatIsNoNumberEndsTheRunAndKeepsTheLastCheckpoint) {
  auto examples = examples_;
  examples[37].weight = std::numeric_limits<float>::infinity();
  Engine engine = engine_of(random_student("llama"), {.full = true});
  auto chosen = options(500);
  chosen.checkpoint = at("run.gguf");
  chosen.checkpoint_every = 1;
  const auto report = Trainer(engine, examples, {}, chosen, {}).run(ignore, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::bad_request);
  EXPECT_THAT(report.error().detail, HasSubstr("the loss of batch"));
  if (!std::filesystem::exists(chosen.checkpoint)) return;  // in the first step
  Engine again = engine_of(random_student("llama"), {.full = true});
  for (const auto& tensor : weights(again)) EXPECT_TRUE(std::isfinite(tensor.front()));
}

TEST_F(TrainerTest, HeldOutExamplesEndTheRunAndTheBestWeightsStay) {
  // What is held out says the opposite, so training makes it worse.
  auto contrary = echo_examples(10);
  for (Example& example : contrary) example.answer.assign(3, 77);
  Engine engine = engine_of(random_student("llama"), {.full = true});
  auto chosen = options(500);
  chosen.measure_every = 5;
  chosen.patience = 3;
  const auto report = Trainer(engine, examples_, contrary, chosen, {}).run(ignore, {});
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->end, RunEnd::patience);
  EXPECT_EQ(report->state.step, report->state.best_step + 15);
  EXPECT_EQ(weights(engine), report->state.best_weights);
}

TEST_F(TrainerTest, LearnsATeachersDistribution) {
  const auto examples = taught_examples();
  const auto student = random_student("llama");
  for (const LossKind kind : {LossKind::forward_kl, LossKind::jsd, LossKind::skew_kl}) {
    Engine engine = engine_of(student, {.full = true});
    auto chosen = options(80);
    chosen.loss.kind = kind;
    const auto report = Trainer(engine, examples, {}, chosen, {}).run(ignore, {});
    ASSERT_TRUE(report) << report.error().detail;
    Batch batch = all_rows({{1, 2, 3}});
    const auto logits = engine.logits(batch);
    const auto last = logits.end() - 101;
    EXPECT_NEAR(last[30] - last[31], std::log(3), 0.1) << static_cast<int>(kind);
  }
}

TEST_F(TrainerTest, ADraftLearnsToBeAccepted) {
  const auto examples = taught_examples();
  const std::span held_out = std::span(examples).first(10);
  const auto student = random_student("llama");
  for (const LossKind kind : {LossKind::tvd, LossKind::forward_kl}) {
    Engine engine = engine_of(student, {.full = true});
    auto chosen = options(80);
    chosen.loss.kind = kind;
    const auto report = Trainer(engine, examples, held_out, chosen, {}).run(ignore, {});
    ASSERT_TRUE(report) << report.error().detail;
    const RunState& state = report->state;
    ASSERT_TRUE(state.before && state.before->acceptance && state.best && state.best->acceptance);
    EXPECT_LT(*state.before->acceptance, 0.2) << static_cast<int>(kind);
    EXPECT_GT(*state.best->acceptance, 0.9) << static_cast<int>(kind);
    if (kind != LossKind::tvd) continue;
    EXPECT_NEAR(*state.before->acceptance, 1 - state.before->loss, 1e-5);
    EXPECT_NEAR(*state.best->acceptance, 1 - state.best->loss, 1e-5);
  }
}

TEST_F(TrainerTest, WhatWasMeasuredOutlivesAnInterruption) {
  const auto examples = taught_examples();
  const auto student = random_student("llama");
  auto chosen = options(12);
  chosen.loss.kind = LossKind::forward_kl;
  chosen.measure_every = 3;
  const auto run = [&](std::int64_t until) {
    Engine engine = engine_of(student);
    std::stop_source stop;
    return Trainer(engine, examples, std::span(examples).first(5), chosen, {})
        .run(
            [&](const Progress& now) {
              if (now.state->step == until) stop.request_stop();
            },
            stop.get_token());
  };
  const auto whole = run(12);
  chosen.checkpoint = at("run.gguf");
  ASSERT_FALSE(run(7));
  const auto resumed = run(12);
  ASSERT_TRUE(whole && resumed) << resumed.error().detail;
  EXPECT_EQ(resumed->resumed_at, 7);
  EXPECT_EQ(resumed->state.before->loss, whole->state.before->loss);
  EXPECT_EQ(resumed->state.before->acceptance, whole->state.before->acceptance);
  EXPECT_EQ(resumed->state.best->acceptance, whole->state.best->acceptance);
  EXPECT_EQ(resumed->state.curve[2].held_out->acceptance,
            whole->state.curve[2].held_out->acceptance);
}

TEST_F(TrainerTest, TextsHaveNoAcceptance) {
  Engine engine = engine_of(random_student("llama"));
  const auto report =
      Trainer(engine, examples_, std::span(examples_).first(5), options(2), {}).run(ignore, {});
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_TRUE(report->state.before);
  EXPECT_FALSE(report->state.before->acceptance);
  EXPECT_FALSE(report->state.best->acceptance);
}

class StudentOutput : public TrainerTest {
 protected:
  static constexpr std::size_t kVocabulary = 101;
  const std::vector<std::int64_t> tokens_ = {5, 17, 3, 99, 42, 5, 5, 61};
};

TEST_F(StudentOutput, AnAdapterAnswersInLibllamaAsInTraining) {
  for (const char* architecture : {"llama", "qwen3"}) {
    const auto student = random_student(architecture);
    const TrainingMethod method{.lora = {.rank = 4, .alpha = 12}};
    Engine engine = engine_of(student, method);
    ASSERT_TRUE(train(engine, options(20)));
    ASSERT_TRUE(write_adapter(at("adapter.gguf"), engine, open(student), method.lora,
                              {.name = "echo", .base_identity = "1"}));
    const auto logits = engine.logits(all_rows({tokens_}));
    EXPECT_LE(furthest_logprob(logits, Reference(student, at("adapter.gguf")).logits(tokens_),
                               kVocabulary),
              1e-4);
    EXPECT_GT(furthest_logprob(logits, Reference(student).logits(tokens_), kVocabulary), 0.1);
  }
}

TEST_F(StudentOutput, AStudentAnswersInLibllamaAsInTraining) {
  for (const char* architecture : {"llama", "qwen2"}) {
    const auto student = random_student(architecture);
    Engine engine = engine_of(student, {.full = true});
    ASSERT_TRUE(train(engine, options(20)));
    ASSERT_TRUE(write_student(at("out.gguf"), engine, open(student), nullptr,
                              {.name = "echo", .base_identity = "1"}));
    const auto logits = engine.logits(all_rows({tokens_}));
    EXPECT_LE(furthest_logprob(logits, Reference(at("out.gguf")).logits(tokens_), kVocabulary),
              1e-4);
    EXPECT_GT(furthest_logprob(logits, Reference(student).logits(tokens_), kVocabulary), 0.1);
  }
}

TEST_F(StudentOutput, TheBundledPairAnswersInLibllamaAsInTraining) {
  const std::vector<std::int64_t> tokens = {5, 17, 3, 99, 42, 5, 5, 61, 1'204, 2'001, 7, 7, 300};
  for (const auto& [model, steps] : {std::pair(kSmall, 8), std::pair(kLarge, 2)}) {
    const auto student = in_float(model, "student.gguf");
    for (const bool full : {false, true}) {
      const TrainingMethod method{.full = full};
      Engine engine = engine_of(student, method);
      auto chosen = options(steps);
      chosen.schedule = {.learning_rate = full ? 2e-4 : 1e-3, .warmup = 0};
      ASSERT_TRUE(train(engine, chosen));
      const Provenance provenance{.name = "echo", .base_identity = "1"};
      const auto out = at("out.gguf");
      ASSERT_TRUE(full ? write_student(out, engine, open(student), nullptr, provenance)
                       : write_adapter(out, engine, open(student), method.lora, provenance));
      auto deployed = full ? Reference(out) : Reference(student, out);
      const auto logits = engine.logits(all_rows({tokens}));
      const double differs = furthest_logprob(logits, deployed.logits(tokens), 2'048);
      const double learned = furthest_logprob(logits, Reference(student).logits(tokens), 2'048);
      std::printf("%s, %s: training moved a log-probability by %.2f, libllama differs by %.1e\n",
                  model.filename().c_str(), full ? "all weights" : "adapter", learned, differs);
      EXPECT_LE(differs, 1e-4);
      EXPECT_GT(learned, 0.1);
    }
  }
}

TEST_F(StudentOutput, AStudentKeepsTheMetadataAndTakesAType) {
  Engine engine = engine_of(kSmall, {.full = true});
  ASSERT_TRUE(write_student(at("out.gguf"), engine, open(kSmall), model::codec_type("q8_0"),
                            {.name = "mine", .base_identity = "1", .recipe = {{"loss", "sft"}}}));
  const auto out = open(at("out.gguf"));
  EXPECT_EQ(out.info().name, "mine");
  EXPECT_EQ(out.info().file_type, "Q8_0");
  EXPECT_EQ(out.info().chat_template, open(kSmall).info().chat_template);
  EXPECT_EQ(out.info().metadata.at("lichen.distill.recipe"), R"({"loss":"sft"})");
  EXPECT_EQ(out.find("blk.0.attn_q.weight")->type->name, "q8_0");
  EXPECT_EQ(out.find("blk.0.attn_norm.weight")->type->name, "f32");
}

TEST_F(StudentOutput, AnAdapterOfAnotherBaseIsRefused) {
  const TrainingMethod method{.lora = {.rank = 2}};
  const Engine engine = engine_of(kSmall, method);
  const auto lane = *model::open_lane({.name = "cpu", .threads = 1});
  const auto small = *model::open_local_model("small", {.gguf = kSmall, .threads = 1}, lane);
  for (const bool own : {true, false}) {
    const auto base =
        own ? kSmall : std::filesystem::path(LICHEN_SOURCE_DIR "/models/lichen-small-a.gguf");
    ASSERT_TRUE(write_adapter(at("adapter.gguf"), engine, open(kSmall), method.lora,
                              {.name = "tuned", .base_identity = *base::file_identity(base)}));
    const auto adapted = small->with_adapter({.name = "tuned", .gguf = at("adapter.gguf")});
    EXPECT_EQ(adapted.has_value(), own);
    if (!own) EXPECT_THAT(adapted.error().detail, HasSubstr("an adapter of another model"));
  }
}

}  // namespace
}  // namespace lichen::training
