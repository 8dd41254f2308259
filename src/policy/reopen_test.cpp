// Runtime::reopen: what is kept of the former runtime, and that an error changes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "ledger/ledger.h"
#include "lichen/runtime.h"
#include "mechanisms/scripted_model.h"
#include "policy/config.h"
#include "policy/plan.h"
#include "policy/reload_report.h"

namespace lichen::policy {
namespace {

namespace fs = std::filesystem;
using mechanisms::ScriptedModel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kAuto = "{auto: {of: [small, large], explore: 0, price: {second: 0}}}";

class ReopenTest : public testing::Test {
 protected:
  ReopenTest()
      : folder_(fs::path(testing::TempDir()) / ("lichen_reopen_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~ReopenTest() override { fs::remove_all(folder_); }

  Config config(const std::string& yaml) {
    Result<Config> parsed = parse_config(yaml, folder_ / "f.yaml");
    EXPECT_TRUE(parsed) << parsed.error().detail;
    return *std::move(parsed);
  }
  std::unique_ptr<Runtime> open(const std::string& yaml) {
    auto runtime = Runtime::open(
        config(yaml), io_.get_executor(), {},
        {std::make_shared<ScriptedModel>("small"), std::make_shared<ScriptedModel>("large")});
    EXPECT_TRUE(runtime) << runtime.error().detail;
    return *std::move(runtime);
  }
  Result<std::unique_ptr<Runtime>> reopen(Runtime& former, const std::string& yaml) {
    return Runtime::reopen(former, config(yaml), io_.get_executor());
  }
  static Receipt ask(Runtime& runtime, const std::string& plan) {
    Turn turn(plan);
    EXPECT_TRUE(mechanisms::run(runtime.answer(Request{.messages = {{"user", "hi"}}}, turn)));
    return turn.receipt;
  }
  static std::string reason(const Receipt& receipt) { return receipt.decisions.at(0).reason; }

  const fs::path folder_;
  boost::asio::io_context io_;
};

std::string remote(const std::string& name, const std::string& more = "") {
  return "  " + name + ": {url: \"http://127.0.0.1:9/v1\", model: m" + more + "}\n";
}

TEST_F(ReopenTest, KeepsModelsThatDidNotChange) {
  const auto before = open("models:\n" + remote("a") + remote("b") + remote("c") +
                           "plans: {p: a, q: b}\nledger: {path: none}");
  const auto after =
      reopen(*before, "ledger: {path: none}\nmodels:\n" + remote("d") +
                          remote("b", ", retries: 0") + remote("a") + "plans: {q: b, p: a}");
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_EQ(*before->find_model("a"), *(*after)->find_model("a"));
  EXPECT_NE(*before->find_model("b"), *(*after)->find_model("b"));
  EXPECT_EQ(*before->find_model("small"), *(*after)->find_model("small"));
  EXPECT_EQ(&before->ledger(), &(*after)->ledger());
  const ReloadReport report = report_reload(*before, **after);
  EXPECT_THAT(report.models.added, ElementsAre("d"));
  EXPECT_THAT(report.models.removed, ElementsAre("c"));
  EXPECT_THAT(report.models.changed, ElementsAre("b"));
  EXPECT_THAT(report.models.kept, ElementsAre("a", "small", "large"));
  EXPECT_THAT(report.plans.kept, ElementsAre("p"));
  EXPECT_THAT(report.plans.changed, ElementsAre("q"));
  EXPECT_THAT(report.blocks, IsEmpty());
  EXPECT_EQ(to_string(report),
            "models: `d` added, `c` removed, `b` changed, `a`, `small`, `large` kept; plans: `q` "
            "changed, `p` kept");
}

TEST_F(ReopenTest, AnErrorChangesNothing) {
  const auto before = open("models:\n" + remote("a") + "plans: {p: a}\nledger: {path: none}");
  const auto unknown = reopen(*before, "models:\n" + remote("a") + "plans: {p: b}");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().detail, HasSubstr("f.yaml:3"));
  const auto gone = reopen(*before, "models: {l: {gguf: gone.gguf}}\nledger: {path: none}");
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().detail, HasSubstr("gone.gguf"));
  EXPECT_EQ(ask(*before, "small").finish, "stop");
  EXPECT_TRUE(before->find("p"));
}

TEST_F(ReopenTest, PlansThatStayKnowWhatTheyHaveLearned) {
  const std::string ledger = "\nledger: {path: ledger.db}";
  auto before = open("plans: {p: " + std::string(kAuto) + ", q: small}" + ledger);
  const Receipt first = ask(*before, "p");
  EXPECT_EQ(reason(first), "expected 1.00");
  ASSERT_TRUE(before->feedback(first.id, {.score = 0}));
  const std::string learned = reason(ask(*before, "p"));
  ASSERT_NE(learned, "expected 1.00");

  const Receipt early = ask(*before, "p");
  auto after = reopen(*before, "plans: {q: large, p: " + std::string(kAuto) + "}" + ledger);
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_EQ(*before->find("p"), *(*after)->find("p"));
  EXPECT_NE(*before->find("q"), *(*after)->find("q"));
  EXPECT_EQ(reason(ask(**after, "p")), learned);
  const auto metrics = [](const Runtime& runtime) {
    std::vector<std::string> names;
    for (const PlanMetric& metric : runtime.metrics()) {
      names.push_back(metric.plan + " " + metric.metric.name);
    }
    return names;
  };
  EXPECT_EQ(metrics(*before), metrics(**after));

  // Feedback for what the former runtime answered, after that has gone.
  before.reset();
  ASSERT_TRUE((*after)->feedback(early.id, {.score = 0}));
  const std::string more = reason(ask(**after, "p"));
  EXPECT_NE(more, learned);
  after->reset();
  EXPECT_EQ(reason(ask(*open("plans: {p: " + std::string(kAuto) + "}" + ledger), "p")), more);
}

TEST_F(ReopenTest, TheFormerRuntimeDoesNotWriteOverWhatTheLatterLearns) {
  const std::string ledger = "\nledger: {path: ledger.db}";
  auto before = open("plans: {p: " + std::string(kAuto) + "}" + ledger);
  // The same learner in another plan: made anew, from what was kept.
  auto after = reopen(*before, "plans: {r: p, p: " + std::string(kAuto) + "}" + ledger);
  ASSERT_TRUE(after) << after.error().detail;
  ASSERT_NE(*before->find("p"), *(*after)->find("p"));
  ASSERT_TRUE((*after)->feedback(ask(**after, "p").id, {.score = 0}));
  const std::string learned = reason(ask(**after, "p"));
  after->reset();
  before.reset();
  EXPECT_EQ(reason(ask(*open("plans: {p: " + std::string(kAuto) + "}" + ledger), "p")), learned);
}

TEST_F(ReopenTest, AnotherLedgerIsOpened) {
  const auto before = open("plans: {p: small}\nledger: {path: one.db}");
  const Receipt first = ask(*before, "p");
  const auto after = reopen(*before, "plans: {p: small}\nledger: {path: two.db}");
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_NE(&before->ledger(), &(*after)->ledger());
  EXPECT_FALSE((*after)->ledger().find(first.id));
  EXPECT_TRUE(before->ledger().find(first.id));
  EXPECT_THAT(report_reload(*before, **after).blocks, ElementsAre("ledger"));
}

}  // namespace
}  // namespace lichen::policy
