// Plans under `mask`, from the YAML to the bytes that a remote endpoint gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <optional>

#include "ledger/ledger.h"
#include "lichen/runtime.h"
#include "mechanisms/scripted_model.h"
#include "model/remote/fake_upstream.h"
#include "policy/config.h"
#include "policy/plan.h"

namespace lichen::policy {
namespace {

using mechanisms::CollectingSink;
using mechanisms::Script;
using mechanisms::ScriptedModel;
using model::FakeUpstream;
using model::Reply;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kAsked = "Tell z@example.org about y@example.org, in three points.";

std::string text_of(const Request& request) {
  std::string text = request.prompt.value_or("") + request.document.value_or("") + request.begun;
  for (const Message& message : request.messages) {
    text += message.content + message.name + boost::json::serialize(message.tool_calls);
  }
  return text;
}

class PrivatePlan : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("XDG_CACHE_HOME", (testing::TempDir() + "lichen_private_plan").c_str(), 1);
  }
  Result<std::unique_ptr<Runtime>> open(const std::string& yaml) {
    Result<Config> config = parse_config(yaml, "f.yaml");
    if (!config) return std::unexpected(config.error());
    return Runtime::open(*std::move(config), io_.get_executor(), {}, {far_, other_, near_});
  }
  /// With plans alone.
  Result<std::unique_ptr<Runtime>> open_plans(const std::string& plans) {
    return open("plans:\n" + plans + "\nledger: {path: none}");
  }
  Result<Answer> answer(Runtime& runtime, Request request, Turn& turn) {
    std::optional<Result<Answer>> result;
    boost::asio::co_spawn(io_, runtime.answer(std::move(request), turn),
                          [&](const std::exception_ptr& thrown, Result<Answer> answer) {
                            EXPECT_FALSE(thrown);
                            result = std::move(answer);
                          });
    io_.restart();
    io_.run();
    return *std::move(result);
  }
  static Request ask(const char* question) { return {.messages = {{"user", question}}}; }
  static std::shared_ptr<ScriptedModel> model(const char* name, bool local) {
    return std::make_shared<ScriptedModel>(
        name,
        [](const Request& request) {
          // Judges want a word.
          if (request.max_tokens && *request.max_tokens <= 4) return Script{.text = "no"};
          // Half of the request, so that drafts and findings hold its values, too.
          const std::string said = text_of(request);
          return Script{.text = "1. " + said.substr(0, 200) + "\n2. yes\n3. no", .logprob = -0.9f};
        },
        ScriptedModel::Traits{.local = local, .embedding_width = 2});
  }

  boost::asio::io_context io_;
  std::shared_ptr<ScriptedModel> far_ = model("far", false);
  std::shared_ptr<ScriptedModel> other_ = model("other", false);
  std::shared_ptr<ScriptedModel> near_ = model("near", true);
};

class EveryMechanism : public PrivatePlan, public testing::WithParamInterface<const char*> {};

TEST_P(EveryMechanism, SendsNothingPrivate) {
  const auto runtime = open_plans(std::string("  p: {mask: {kinds: [EMAIL], plan: ") + GetParam() +
                                  "}}\n  named: far");
  ASSERT_TRUE(runtime) << runtime.error().detail;
  CollectingSink sink;
  Turn turn("p", &sink);
  Request request = ask(kAsked);
  if (std::string_view(GetParam()).contains("extract")) {
    request.document = "x@example.org is the client.\n\nThe bill goes to w@example.org.";
  }
  const auto answered = answer(**runtime, std::move(request), turn);
  ASSERT_TRUE(answered) << answered.error().detail;
  EXPECT_EQ(sink.text(), answered->text);
  (*runtime)->settle();
  std::size_t asked = 0;
  for (const auto& remote : {far_, other_}) {
    for (const Request& sent : remote->requests()) {
      ++asked;
      EXPECT_THAT(text_of(sent), Not(HasSubstr("@example")));
    }
  }
  EXPECT_GT(asked, 0u) << "the plan asks a remote model";
  EXPECT_THAT(answered->text, Not(HasSubstr("[EMAIL_")));
  EXPECT_THAT(boost::json::serialize(to_json(turn.receipt)),
              AllOf(HasSubstr("EMAIL"), Not(HasSubstr("@example"))));
}

INSTANTIATE_TEST_SUITE_P(
    Mask, EveryMechanism,
    testing::Values(
        "far", "named", "{route: {threshold: 1, small: near, large: far}}",
        "{cascade: {small: near, large: far}}", "{cascade: {small: far, large: other}}",
        "{cascade: {small: near, large: other, confidence: verifier, verifier: far}}",
        "{fallback: {of: [named, near]}}", "{guard: {of: far, small: other}}",
        "{guard: {of: near, small: far, threshold: {input: 1, output: 1}}}",
        "{hint: {small: near, large: far}}", "{hint: {small: far, large: other}}",
        "{prior: {small: near, large: far}}", "{verify: {of: far, n: 3, by: agreement}}",
        "{verify: {of: near, n: 2, by: judge, verifier: far}}", "{vote: {of: [far, other, near]}}",
        "{rank_fuse: {of: [far, near], judge: other, by: far}}", "{refine: {draft: near, by: far}}",
        "{refine: {draft: far, by: other}}", "{expand: {outline: far, by: near}}",
        "{expand: {outline: near, by: far}}", "{extract: {plan: far, by: near}}",
        "{auto: {of: [far, other]}}", "{cache: {of: far}}",
        "{cache: {of: far, semantic: {embedder: other, threshold: 0.9}}}",
        "{mask: {kinds: [EMAIL], plan: far}}"));

TEST_F(PrivatePlan, AReferenceFromWithinIsMaskedAndFromOutsideIsNot) {
  const auto runtime = open_plans(
      "  inside: {mask: {kinds: [EMAIL], plan: shared}}\n  shared: {fallback: {of: [far]}}");
  ASSERT_TRUE(runtime) << runtime.error().detail;
  Turn inside("inside"), outside("shared");
  ASSERT_TRUE(answer(**runtime, ask(kAsked), inside));
  EXPECT_THAT(text_of(far_->requests().at(0)), Not(HasSubstr("@example")));
  ASSERT_TRUE(answer(**runtime, ask(kAsked), outside));
  EXPECT_THAT(text_of(far_->requests().at(1)), HasSubstr("@example"));
}

TEST_F(PrivatePlan, WhatCannotBeIsSaidWithItsPlace) {
  const auto wrong = [&](const std::string& options) {
    const auto runtime = open_plans("  p:\n    mask:\n      " + options);
    EXPECT_FALSE(runtime) << options;
    return runtime ? "" : runtime.error().detail;
  };
  EXPECT_THAT(wrong("kinds: [EMAIL]"), HasSubstr("`mask` needs `plan`"));
  EXPECT_THAT(wrong("{plan: far, kinds: [EMIAL]}"),
              AllOf(HasSubstr("f.yaml:4:"), HasSubstr("not `EMIAL` (did you mean `EMAIL`?)")));
  EXPECT_THAT(wrong("{plan: far, kinds: EMAIL}"), HasSubstr("must be a list"));
  EXPECT_THAT(wrong("{plan: far, policy: hide}"), HasSubstr("`mask`, `block`, `local_only`"));
  EXPECT_THAT(wrong("{plan: far, kinds: [EMAIL], policy: local_only}"),
              HasSubstr("`mask` needs `local`"));
  EXPECT_THAT(wrong("{plan: far, kinds: [EMAIL], policy: local_only, local: {fallback: {of: [near, "
                    "far]}}}"),
              AllOf(HasSubstr("f.yaml:4:"), HasSubstr("`far` is remote")));
  EXPECT_THAT(wrong("{plan: far, kinds: [EMAIL], local: near}"), HasSubstr("goes with"));
  EXPECT_THAT(wrong("{plan: far, dictionary: nowhere.txt}"), HasSubstr("nowhere.txt"));
}

TEST_F(PrivatePlan, ACachesEmbedderSeesNoMoreThanTheMaskLets) {
  const auto plan = [](const char* of, const char* embedder) {
    return "  p:\n    cache: {of: " + std::string(of) + ", semantic: {embedder: " + embedder +
           ", threshold: 0.9}}\n  q: {mask: {kinds: [EMAIL], plan: far}}";
  };
  const auto refused = open_plans(plan("q", "other"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, AllOf(HasSubstr("f.yaml:3:"), HasSubstr("`other` is remote"),
                                            HasSubstr("put the `mask` around the `cache`")));
  EXPECT_TRUE(open_plans(plan("q", "near")));
  EXPECT_TRUE(open_plans(plan("far", "other"))) << "which sees all of it, too";

  const auto runtime = open_plans(plan("q", "near"));
  ASSERT_TRUE(runtime) << runtime.error().detail;
  for (const char* choice : {"miss", "hit"}) {
    Turn turn("p");
    const auto answered = answer(**runtime, ask(kAsked), turn);
    ASSERT_TRUE(answered) << answered.error().detail;
    EXPECT_THAT(answered->text, HasSubstr("z@example.org")) << "restored";
    const auto& decisions = turn.receipt.decisions;
    EXPECT_THAT(std::ranges::find(decisions, "cache", &Decision::mechanism)->choice, choice);
  }
  EXPECT_EQ(far_->requests().size(), 1u);
}

TEST_F(PrivatePlan, PromptsAreRecordedMasked) {
  const auto runtime = open(
      "plans:\n"
      "  p: {fallback: {of: [near, q]}}\n"
      "  q: {mask: {kinds: [EMAIL], plan: far}}\n"
      "  r: {mask: {kinds: [EMAIL], plan: q}}\n"
      "  plain: near\n"
      "ledger: {path: none, record: [p, q, r, plain]}");
  ASSERT_TRUE(runtime) << runtime.error().detail;
  for (const char* plan : {"p", "q", "r", "plain"}) {
    Turn turn(plan);
    ASSERT_TRUE(answer(**runtime, ask("z@example.org [EMAIL_1]"), turn));
    ASSERT_TRUE((*runtime)->feedback(turn.receipt.id, {.score = 1}));
  }
  std::vector<std::string> prompts;
  for (const auto& prompt : (*runtime)->ledger().rated_prompts().value()) {
    prompts.push_back(prompt.plan + ": " + prompt.prompt);
  }
  EXPECT_THAT(prompts, testing::UnorderedElementsAre(
                           "p: [EMAIL_2] [EMAIL_1]", "q: [EMAIL_2] [EMAIL_1]",
                           "r: [EMAIL_2] [EMAIL_1]", "plain: z@example.org [EMAIL_1]"));
}

class AtAnEndpoint : public PrivatePlan {
 protected:
  Result<std::unique_ptr<Runtime>> open_at(const FakeUpstream& upstream) {
    return open("models:\n  cloud: {url: \"" + upstream.url() +
                "\", model: big-1, retries: 0}\n"
                "plans:\n  p: {mask: {kinds: [EMAIL], plan: cloud}}\n"
                "ledger: {path: none}");
  }
};

TEST_F(AtAnEndpoint, TheBodyHoldsPlaceholdersAndTheStreamValues) {
  FakeUpstream upstream({Reply::chat({"Mail to [EM", "AIL_", "1] was", " sent to [email_2]"})});
  const auto runtime = open_at(upstream);
  ASSERT_TRUE(runtime) << runtime.error().detail;
  CollectingSink sink;
  Turn turn("p", &sink);
  const auto answered = answer(**runtime, ask(kAsked), turn);
  ASSERT_TRUE(answered) << answered.error().detail;
  EXPECT_EQ(answered->text, "Mail to z@example.org was sent to y@example.org");
  EXPECT_EQ(sink.text(), answered->text);
  const std::string body = upstream.requests().at(0).body;
  EXPECT_THAT(body, AllOf(HasSubstr("Tell [EMAIL_1] about [EMAIL_2]"), Not(HasSubstr("@example"))));
  ASSERT_EQ(turn.receipt.decisions.size(), 1u);
  EXPECT_EQ(turn.receipt.decisions[0].reason, "cloud: 2 EMAIL");
}

TEST_F(AtAnEndpoint, ABodyThatHoldsAValueAllTheSameDoesNotLeave) {
  FakeUpstream upstream({Reply::chat({"ok"})});
  const auto runtime = open_at(upstream);
  ASSERT_TRUE(runtime) << runtime.error().detail;
  Turn turn("p");
  Request request = ask(kAsked);
  // Names of fields are not masked: the model has to know them.
  request.tools = boost::json::parse(R"([{"type": "function", "function": {"name": "send",
      "parameters": {"type": "object", "properties": {"z@example.org": {}}}}}])")
                      .as_array();
  const auto refused = answer(**runtime, std::move(request), turn);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_THAT(refused.error().detail,
              AllOf(HasSubstr("EMAIL"), HasSubstr("[EMAIL_1]"), Not(HasSubstr("example"))));
  EXPECT_EQ(upstream.connections(), 0);
  EXPECT_EQ(turn.receipt.error, "refused");
  EXPECT_EQ(turn.receipt.steps.at(0).bytes_sent, 0);
  EXPECT_THAT(boost::json::serialize(to_json(turn.receipt)), Not(HasSubstr("@example")));
  double counted = 0;
  for (const PlanMetric& shown : (*runtime)->metrics()) {
    if (shown.metric.name == "lichen_egress_refused_total") counted = shown.metric.read();
  }
  EXPECT_EQ(counted, 1);
}

}  // namespace
}  // namespace lichen::policy
