#include "lichen/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "ledger/ledger.h"
#include "mechanisms/scripted_model.h"
#include "policy/config.h"

namespace lichen {
namespace {

using mechanisms::CollectingSink;
using mechanisms::run;
using mechanisms::Script;
using mechanisms::ScriptedModel;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// A model with a defect.
class Throwing : public Model {
 public:
  const std::string& name() const override { return name_; }
  bool local() const override { return true; }
  std::int64_t context_length() const override { return 0; }
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    turn.receipt.steps.push_back({.model = name_, .role = "answer"});
    co_await boost::asio::this_coro::executor;
    const std::string what = request.messages.at(0).content;
    if (what == "aborted") {
      throw boost::system::system_error(boost::asio::error::operation_aborted);
    }
    if (what == "odd") throw 42;
    throw std::runtime_error(what);
  }
  awaitable<Result<Embeddings>> embed(std::vector<std::string>, Turn&) override {
    throw std::runtime_error("no coroutine yet");
  }

 private:
  const std::string name_ = "throwing";
};

class RuntimeTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Runtime>> open(const std::string& yaml,
                                        std::vector<ModelPtr> models = {}) {
    Result<policy::Config> config = policy::parse_config(yaml + "\nledger: {path: none}", "f.yaml");
    if (!config) return std::unexpected(config.error());
    return Runtime::open(*std::move(config), io_.get_executor(), {}, std::move(models));
  }
  /// With models small and large, which embed, and one with a defect.
  std::unique_ptr<Runtime> open_scripted(const std::string& yaml) {
    ScriptedModel::Traits traits;
    traits.embedding_width = 4;
    Result<std::unique_ptr<Runtime>> runtime = open(
        yaml, {std::make_shared<ScriptedModel>(
                   "small", std::vector<Script>{{.text = "by small", .logprob = -1}}, traits),
               std::make_shared<ScriptedModel>("large", std::vector<Script>{{.text = "by large"}}),
               std::make_shared<ScriptedModel>(
                   "down", std::vector<Script>{{.error = Error{Errc::upstream, "down"}}}),
               std::make_shared<Throwing>()});
    EXPECT_TRUE(runtime) << runtime.error().detail;
    return runtime ? *std::move(runtime) : nullptr;
  }
  static Request ask(std::string text) { return {.messages = {{"user", std::move(text)}}}; }

  boost::asio::io_context io_;
};

TEST_F(RuntimeTest, AnswersAndRecords) {
  const auto runtime = open_scripted("plans: {default: {cascade: {small: small, large: large}}}");
  CollectingSink sink;
  Turn turn("default", &sink);
  Result<Answer> answer = run(runtime->answer(ask("hi"), turn));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "by large");
  EXPECT_EQ(sink.text(), "by large");
  const Result<Receipt> receipt = runtime->ledger().find(turn.receipt.id);
  ASSERT_TRUE(receipt) << receipt.error().detail;
  EXPECT_EQ(receipt->plan, "default");
  EXPECT_EQ(receipt->finish, "stop");
  EXPECT_EQ(receipt->error, "");
  EXPECT_GT(receipt->total_ms, 0);
  EXPECT_EQ(receipt->steps.size(), 2u);
  EXPECT_EQ(receipt->decisions.size(), 1u);
  ASSERT_EQ(receipt->authors.size(), 1u);
  EXPECT_EQ(receipt->authors[0].model, "large");
}

TEST_F(RuntimeTest, ADurableReplyEndsWhenItsReceiptIsOnDisk) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("lichen_durable" + std::to_string(getpid())) / "ledger.db";
  Result<policy::Config> config =
      policy::parse_config("ledger: {path: \"" + file.string() + "\", durable: true}", "f.yaml");
  ASSERT_TRUE(config) << config.error().detail;
  std::vector<ModelPtr> models = {
      std::make_shared<ScriptedModel>("small", std::vector<Script>{{.text = "hi"}}),
      std::make_shared<ScriptedModel>(
          "down", std::vector<Script>{{.error = Error{Errc::upstream, "down"}}})};
  auto runtime = Runtime::open(*std::move(config), io_.get_executor(), {}, std::move(models));
  ASSERT_TRUE(runtime) << runtime.error().detail;
  for (const std::string plan : {"small", "down"}) {
    Turn turn(plan);
    const Result<Answer> answer = run((*runtime)->answer(ask("hi"), turn));
    EXPECT_EQ(answer.has_value(), plan == "small");
    // Another process sees the file, not this one's memory.
    EXPECT_TRUE(ledger::Ledger::open(file).value()->find(turn.receipt.id)) << plan;
  }
  std::filesystem::remove_all(file.parent_path());
}

/// Leaves `count` pieces of work for later, each with a step of its own.
class LeavesWork : public Model {
 public:
  explicit LeavesWork(int count, bool endless = false) : count_(count), endless_(endless) {}
  const std::string& name() const override { return name_; }
  bool local() const override { return true; }
  std::int64_t context_length() const override { return 0; }
  awaitable<Result<Answer>> answer(Request, Turn& turn) override {
    for (int i = 0; i < count_; ++i) {
      turn.later.push_back(
          [endless = endless_](Turn& background) { return work(background, endless); });
    }
    co_return Answer{.text = "now"};
  }
  awaitable<Result<Embeddings>> embed(std::vector<std::string>, Turn&) override {
    co_return Embeddings{};
  }

 private:
  static awaitable<Result<void>> work(Turn& turn, bool endless) {
    turn.receipt.steps.push_back({.model = "leaves", .role = "shadow"});
    if (endless) {
      ScriptedModel model("endless", {{.text = "a", .never_ends = true}});
      (void)co_await model.answer({}, turn);
    }
    co_return fail(Errc::upstream, "later");
  }

  const std::string name_ = "leaves";
  const int count_;
  const bool endless_;
};

TEST_F(RuntimeTest, WorkForLaterHasAReceiptOfItsOwn) {
  const auto runtime = open("", {std::make_shared<LeavesWork>(3)});
  ASSERT_TRUE(runtime) << runtime.error().detail;
  Turn turn("leaves");
  ASSERT_TRUE(run((*runtime)->answer(ask("x"), turn)));
  (*runtime)->settle();
  const auto receipts = (*runtime)->ledger().recent(10);
  ASSERT_TRUE(receipts);
  int shadows = 0;
  for (const Receipt& receipt : *receipts) {
    EXPECT_EQ(receipt.plan, "leaves");
    shadows += receipt.error == "upstream" && receipt.steps.at(0).role == "shadow";
  }
  EXPECT_EQ(shadows, 3);
  EXPECT_EQ(receipts->size(), 4u);
}

TEST_F(RuntimeTest, EndsWhatIsStillBeingDoneForLater) {
  auto runtime = open("", {std::make_shared<LeavesWork>(100, true)});
  ASSERT_TRUE(runtime) << runtime.error().detail;
  Turn turn("leaves");
  ASSERT_TRUE(run((*runtime)->answer(ask("x"), turn)));
  runtime->reset();  // comes back
}

TEST_F(RuntimeTest, RecordsFailuresWithTheirCost) {
  const auto runtime = open_scripted("");
  Turn turn("down");
  EXPECT_EQ(run(runtime->answer(ask("hi"), turn)).error().code, Errc::upstream);
  const Result<Receipt> receipt = runtime->ledger().find(turn.receipt.id);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->error, "upstream");
  EXPECT_EQ(receipt->finish, "");
  EXPECT_EQ(receipt->steps.size(), 1u);
}

TEST_F(RuntimeTest, AStreamThatBreaksOffHasTheAuthorsOfWhatWasShown) {
  const auto model = std::make_shared<ScriptedModel>(
      "breaking",
      std::vector<Script>{
          {.text = "one two three", .error = Error{Errc::upstream, "cut off"}, .error_after = 2}});
  const auto runtime = open("", {model});
  ASSERT_TRUE(runtime) << runtime.error().detail;
  CollectingSink sink;
  Turn turn("breaking", &sink);
  EXPECT_FALSE(run((*runtime)->answer({.messages = {{"user", "hi"}}}, turn)));
  const auto receipt = (*runtime)->ledger().find(turn.receipt.id);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->error, "upstream");
  ASSERT_EQ(receipt->authors.size(), 1u);
  EXPECT_EQ(receipt->authors[0].model, "breaking");
  EXPECT_EQ(receipt->authors[0].tokens, 2);
  EXPECT_EQ(receipt->authors[0].bytes, 7);
}

TEST_F(RuntimeTest, RecordsRequestsForUnknownPlans) {
  const auto runtime = open_scripted("plans: {fast: small}");
  Turn turn("fats");
  Result<Answer> answer = run(runtime->answer(ask("hi"), turn));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::not_found);
  EXPECT_EQ(answer.error().detail,
            "there is no plan or model `fats` (did you mean `fast`?); there are: `down`, `fast`, "
            "`large`, `small`, `throwing`");
  EXPECT_EQ(runtime->ledger().find(turn.receipt.id)->error, "not_found");
}

TEST_F(RuntimeTest, AnExceptionIsAnErrorWithAReceipt) {
  const auto runtime = open_scripted("");
  const std::pair<const char*, Errc> cases[] = {
      {"boom", Errc::internal}, {"odd", Errc::internal}, {"aborted", Errc::cancelled}};
  for (const auto& [what, code] : cases) {
    Turn turn("throwing");
    EXPECT_EQ(run(runtime->answer(ask(what), turn)).error().code, code);
    EXPECT_EQ(runtime->ledger().find(turn.receipt.id)->error, to_string(code));
    EXPECT_EQ(runtime->ledger().find(turn.receipt.id)->steps.size(), 1u);
  }
  Turn turn("throwing");
  EXPECT_EQ(run(runtime->embed({"x"}, turn)).error().code, Errc::internal);
  Turn late("throwing");
  late.cancel(Errc::deadline_exceeded, "late");
  EXPECT_EQ(run(runtime->answer(ask("boom"), late)).error().code, Errc::deadline_exceeded);
}

TEST_F(RuntimeTest, TheDefaultPlan) {
  const auto answered_by = [this](const std::string& yaml) {
    const auto runtime = open_scripted(yaml);
    Turn turn("");
    run(runtime->answer(ask("hi"), turn));
    return turn.receipt.plan;
  };
  EXPECT_EQ(answered_by("plans: {default: small, b: large}\nserve: {plan: b}"), "b");
  EXPECT_EQ(answered_by("plans: {default: small}\nserve: {plan: large}"), "large");
  EXPECT_EQ(answered_by("plans: {a: large, default: small}"), "default");
  EXPECT_EQ(answered_by("plans: {only: small}"), "only");
  EXPECT_EQ(answered_by("plans: {a: small, b: large}"), "");
  EXPECT_EQ(answered_by(""), "") << "several models and no plan";

  Result<std::unique_ptr<Runtime>> one =
      open("", {std::make_shared<ScriptedModel>("only", std::vector<Script>{{.text = "yes"}})});
  Turn turn("");
  EXPECT_EQ(run((*one)->answer(ask("hi"), turn))->text, "yes");
  EXPECT_EQ(turn.receipt.plan, "only");
}

TEST_F(RuntimeTest, WithoutADefaultPlanOneMustBeNamed) {
  const auto runtime = open_scripted("plans: {a: small, b: large}");
  Result<AnswererPtr> none = runtime->find("");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::not_found);
  EXPECT_THAT(none.error().detail, HasSubstr("no plan was named"));
}

TEST_F(RuntimeTest, ListsWhatThereIs) {
  const auto runtime = open_scripted("plans: {b: small, a: large}");
  EXPECT_THAT(runtime->plan_names(), ElementsAre("b", "a"));
  EXPECT_EQ(runtime->models().size(), 4u);
  EXPECT_TRUE(runtime->find("small"));
  EXPECT_EQ((*runtime->find_model("small"))->name(), "small");
  EXPECT_EQ(runtime->find_model("a").error().code, Errc::unsupported);
  EXPECT_EQ(runtime->find_model("smal").error().code, Errc::not_found);
  EXPECT_EQ(runtime->config().file, "f.yaml");
}

TEST_F(RuntimeTest, Embeds) {
  const auto runtime = open_scripted("plans: {a: small}");
  Turn turn("small");
  Result<Embeddings> embeddings = run(runtime->embed({"x", "yy"}, turn));
  ASSERT_TRUE(embeddings) << embeddings.error().detail;
  EXPECT_EQ(embeddings->size(), 2u);
  EXPECT_EQ(runtime->ledger().find(turn.receipt.id)->steps.at(0).role, "embed");
  Turn by_plan("a");
  EXPECT_THAT(run(runtime->embed({"x"}, by_plan)).error().detail,
              HasSubstr("`a` is a plan, not a model"));
  Turn unnamed("");
  EXPECT_THAT(run(runtime->embed({"x"}, unnamed)).error().detail, HasSubstr("no model was named"));
}

TEST_F(RuntimeTest, WhatAModelOrMachineCannotGiveIsNotCutSilently) {
  const std::string small = LICHEN_SOURCE_DIR "/models/lichen-small.gguf";
  const auto problem = [&](const std::string& option) {
    const auto runtime = open("models:\n  a: {gguf: " + small + ", " + option + "}\n");
    return runtime ? Error{Errc::internal, "it opened"} : runtime.error();
  };
  const Error context = problem("context: 100000");
  EXPECT_EQ(context.code, Errc::bad_config);
  EXPECT_THAT(context.detail, AllOf(StartsWith("f.yaml:2: model `a`: "), HasSubstr("100000"),
                                    HasSubstr("up to 2048")));
  const Error threads = problem("threads: 1024");
  EXPECT_EQ(threads.code, Errc::bad_config);
  EXPECT_THAT(threads.detail,
              AllOf(StartsWith("f.yaml:2: model `a`: "), HasSubstr("1024"), HasSubstr("cores")));
  const Error sessions = problem("max_sessions: 1000");
  EXPECT_EQ(sessions.code, Errc::bad_config);
  EXPECT_THAT(sessions.detail, HasSubstr("from 1 to 256"));
}

TEST_F(RuntimeTest, WhatCannotBeOpened) {
  const auto problem = [this](const std::string& yaml) {
    Result<std::unique_ptr<Runtime>> runtime = open(yaml);
    return runtime ? "no error" : runtime.error().detail;
  };
  EXPECT_THAT(problem("plans: {a: b}"), HasSubstr("there is no model: add one under `models`"));
  EXPECT_THAT(problem("models:\n  a: {gguf: /nowhere/a.gguf}\n"),
              AllOf(StartsWith("f.yaml:2: model `a`: /nowhere/a.gguf is not there")));
  EXPECT_THAT(problem("models:\n  a: {gguf: /dev}\n"), HasSubstr("/dev is not a file"));
  EXPECT_THAT(problem("models: {a: {gguf: /nowhere}}\nplans: {b: c}"),
              HasSubstr("no model or plan `c`"))
      << "plans are checked before models are loaded";
  EXPECT_THAT(problem("models: {a: {gguf: /nowhere}}\nserve:\n  plan: b\n"),
              AllOf(StartsWith("f.yaml:3: "), HasSubstr("no plan or model `b`")));
}

TEST_F(RuntimeTest, ARemoteModelNeedsItsKey) {
  ::unsetenv("LICHEN_TEST_NO_SUCH_KEY");
  Result<std::unique_ptr<Runtime>> runtime = open(
      "models:\n  a: {url: \"http://127.0.0.1:9/v1\", model: m, "
      "key_env: LICHEN_TEST_NO_SUCH_KEY}\n");
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().code, Errc::bad_config);
  EXPECT_THAT(runtime.error().detail,
              AllOf(StartsWith("f.yaml:2: model `a`: "), HasSubstr("LICHEN_TEST_NO_SUCH_KEY")));
}

TEST_F(RuntimeTest, ARemoteUrlMayHaveAQuery) {
  const auto runtime =
      open("models: {a: {url: \"http://127.0.0.1:9/v1?api-version=1\", model: m, retries: 10}}");
  EXPECT_TRUE(runtime) << runtime.error().detail;
}

TEST_F(RuntimeTest, OpensRemoteModels) {
  Result<std::unique_ptr<Runtime>> runtime =
      open("models: {a: {url: \"http://127.0.0.1:9/v1\", model: m}}");
  ASSERT_TRUE(runtime) << runtime.error().detail;
  EXPECT_FALSE((*runtime->get()->find_model("a"))->local());
}

TEST_F(RuntimeTest, ALedgerThatCannotBeOpenedIsAnError) {
  Result<policy::Config> config =
      policy::parse_config("ledger: {path: /dev/null/ledger.db}", "f.yaml");
  ASSERT_TRUE(config);
  Result<std::unique_ptr<Runtime>> runtime =
      Runtime::open(*config, io_.get_executor(), {}, {std::make_shared<ScriptedModel>("small")});
  ASSERT_FALSE(runtime);
  EXPECT_THAT(runtime.error().detail, HasSubstr("/dev/null/ledger.db"));
}

TEST_F(RuntimeTest, OpensAFileWithItsLedger) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "lichen_runtime_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "lichen.yaml")
      << "models: {a: {url: \"http://127.0.0.1:9/v1\", model: m}}\nledger: {path: l/ledger.db}\n";
  {
    Result<std::unique_ptr<Runtime>> runtime =
        Runtime::open(folder / "lichen.yaml", io_.get_executor());
    ASSERT_TRUE(runtime) << runtime.error().detail;
    EXPECT_TRUE(std::filesystem::exists(folder / "l" / "ledger.db"));
  }
  EXPECT_FALSE(Runtime::open(folder / "other.yaml", io_.get_executor()));
  std::filesystem::remove_all(folder);
}

TEST_F(RuntimeTest, PromptsAreRecordedOnlyForThoseThatAreNamed) {
  Result<policy::Config> config =
      policy::parse_config("plans: {p: small}\nledger: {path: none, record: [p, large]}", "f.yaml");
  ASSERT_TRUE(config) << config.error().detail;
  const auto opened = [&] {
    return Runtime::open(
        *config, io_.get_executor(), {},
        {std::make_shared<ScriptedModel>("small"), std::make_shared<ScriptedModel>("large")});
  };
  const auto runtime = opened();
  ASSERT_TRUE(runtime) << runtime.error().detail;
  const auto rated = [&](const char* plan, Request request) {
    Turn turn(plan);
    EXPECT_TRUE(run((*runtime)->answer(std::move(request), turn)));
    EXPECT_TRUE((*runtime)->feedback(turn.receipt.id, {.score = 1}));
  };
  rated("p", ask("one"));
  rated("small", ask("two"));
  rated("large", Request{.prompt = "three"});
  Request later = ask("four");
  later.messages.push_back({"assistant", "well"});
  later.messages.push_back({"user", "and?"});
  rated("large", std::move(later));
  std::vector<std::string> prompts;
  for (const auto& prompt : (*runtime)->ledger().rated_prompts().value()) {
    prompts.push_back(prompt.plan + ": " + prompt.prompt);
  }
  EXPECT_THAT(prompts, ElementsAre("p: one", "large: three"));

  config->ledger.record = {"q"};
  const auto wrong = opened();
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().detail, HasSubstr("f.yaml:2: `record` of `ledger`: there is no plan"));
}

}  // namespace
}  // namespace lichen
