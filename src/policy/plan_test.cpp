#include "policy/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mechanisms/scripted_model.h"
#include "policy/marked_yaml.h"

namespace lichen::policy {
namespace {

using mechanisms::run;
using mechanisms::Script;
using mechanisms::ScriptedModel;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

privacy::DetectorPool& detectors() {
  static privacy::DetectorPool pool;
  return pool;
}

std::vector<ModelPtr> models() {
  const auto model = [](const char* name, float logprob) {
    return std::make_shared<ScriptedModel>(
        name, std::vector<Script>{{.text = std::string("by ") + name, .logprob = logprob}});
  };
  return {model("small", -1), model("large", -0.1f)};
}

Result<Answerers> build(const std::string& yaml) {
  Result<Config> config = parse_config(yaml, "f.yaml");
  EXPECT_TRUE(config) << config.error().detail;
  if (!config) return Answerers{};
  Result<Plans> built = build_plans(*config, models(), detectors());
  // The check before loading must find the same.
  const auto checked = check_plans(*config, models(), detectors());
  EXPECT_EQ(checked.has_value(), built.has_value());
  if (!checked && !built) {
    EXPECT_EQ(checked.error().detail, built.error().detail);
  }
  if (!built) return std::unexpected(built.error());
  return std::move(built->answerers);
}

std::string answer(const Answerers& plans, const std::string& plan, std::string question = "hi") {
  Turn turn(plan);
  Result<Answer> answer =
      run(plans.at(plan)->answer({.messages = {{"user", std::move(question)}}}, turn));
  return answer ? answer->text : answer.error().detail;
}

TEST(Plan, EveryModelAnswersByItsName) {
  const Result<Answerers> plans = build("plans: {}\n");
  ASSERT_TRUE(plans) << plans.error().detail;
  EXPECT_EQ(plans->size(), 2u);
  EXPECT_EQ(answer(*plans, "small"), "by small");
}

TEST(Plan, ANameStandsForAModelOrAPlan) {
  const Result<Answerers> plans = build("plans:\n  a: b\n  b: c\n  c: large\n");
  ASSERT_TRUE(plans) << plans.error().detail;
  EXPECT_EQ(answer(*plans, "a"), "by large");
  EXPECT_EQ(plans->at("a"), plans->at("c")) << "built once";
}

TEST(Plan, MechanismsNest) {
  const Result<Answerers> plans = build(R"(plans:
  default:
    route:
      by: length
      threshold: 10
      small: {cascade: {small: small, large: large, threshold: -2}}
      large: {fallback: {of: [large, {route: {small: small, large: large}}], timeout_ms: 500}}
  strict: {cascade: {small: small, large: large}}
)");
  ASSERT_TRUE(plans) << plans.error().detail;
  EXPECT_EQ(answer(*plans, "default"), "by small");
  EXPECT_EQ(answer(*plans, "default", "a longer question"), "by large");
  EXPECT_EQ(answer(*plans, "strict"), "by large") << "-1 is under the default threshold";
}

TEST(Plan, FallbackNamesItsAlternativesAsThePlanDoes) {
  std::vector<ModelPtr> all = models();
  all.push_back(std::make_shared<ScriptedModel>(
      "down", std::vector<Script>{{.error = Error{Errc::upstream, "down"}}}));
  const Result<Config> config = parse_config(
      "plans:\n"
      "  a: {fallback: {of: [b, {route: {small: down, large: down}}, small]}}\n"
      "  b: down\n",
      "f.yaml");
  ASSERT_TRUE(config) << config.error().detail;
  const Result<Plans> plans = build_plans(*config, all, detectors());
  ASSERT_TRUE(plans) << plans.error().detail;
  Turn turn("a");
  ASSERT_TRUE(run(plans->answerers.at("a")->answer({.messages = {{"user", "hi"}}}, turn)));
  std::vector<std::string> choices;
  for (const Decision& decision : turn.receipt.decisions) {
    if (decision.mechanism == "fallback") choices.push_back(decision.choice);
  }
  EXPECT_THAT(choices, testing::ElementsAre("route", "small"));
  EXPECT_THAT(turn.receipt.decisions.at(0).reason, StartsWith("b: upstream: "));
}

struct Wrong {
  const char* plans;    // with ^ before the place that the error must name
  const char* message;  // a part of it
};

class WrongPlan : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPlan, IsAnErrorWithItsPlace) {
  const MarkedYaml marked = read_marked("plans:\n" + std::string(GetParam().plans));
  const Result<Answerers> plans = build(marked.yaml);
  ASSERT_FALSE(plans) << GetParam().plans;
  EXPECT_EQ(plans.error().code, Errc::bad_config);
  EXPECT_THAT(plans.error().detail,
              AllOf(StartsWith("f.yaml:" + marked.place), HasSubstr(GetParam().message)))
      << GetParam().plans;
}

INSTANTIATE_TEST_SUITE_P(
    Names, WrongPlan,
    testing::Values(
        Wrong{"  a: ^smal\n",
              "there is no model or plan `smal` (did you mean `small`?); there are: `a`, `large`, "
              "`small`"},
        Wrong{"  a: ^cascade\n", "`cascade` is a mechanism and needs its options"},
        Wrong{"  a: ^a\n", "plans in a circle: `a` -> `a`"},
        Wrong{"  a: b\n  b: {cascade: {small: small, large: c}}\n  c: ^a\n",
              "plans in a circle: `a` -> `b` -> `c` -> `a`; one of them must name a model"},
        Wrong{"  a: small\n  ^large: small\n", "`large` is already a model"},
        Wrong{"  a: {^mingle: {of: [small]}}\n",
              "there is no mechanism `mingle`; there are: `auto`, `blend`, `cache`, `cascade`, "
              "`compress`, "
              "`contrast`, `expand`, `extract`, `fallback`, `guard`, `handover`, `hint`, `mask`, "
              "`prior`, "
              "`proxy_tune`, `rank_fuse`, `refine`, `route`, `speculate`, `verify`, `vote`"},
        Wrong{"  a: {^cascad: {small: small}}\n", "(did you mean `cascade`?)"}));

INSTANTIATE_TEST_SUITE_P(
    Form, WrongPlan,
    testing::Values(
        Wrong{"  ^a:\n", "a plan is the name of a model or of another plan, or one mechanism"},
        Wrong{"  a: ^[small]\n", "a plan is the name"}, Wrong{"  a: ^{}\n", "a plan is the name"},
        Wrong{"  a: ^{route: {}, cascade: {}}\n", "here are 2 keys: `route`, `cascade`"},
        Wrong{"  a:\n    ^route:\n    small: small\n    large: large\n",
              "here are 3 keys: `route`, `small`, `large` (indent the options of `route` under "
              "it)"},
        Wrong{"  a: {route: ^small}\n", "`route` must be a map of keys and values"},
        Wrong{"  a: {^route: }\n", "`route` must be a map of keys and values, not nothing"}));

INSTANTIATE_TEST_SUITE_P(
    Options, WrongPlan,
    testing::Values(
        Wrong{"  a: {^cascade: {small: small}}\n", "`cascade` needs `large`: a model's or"},
        Wrong{"  a: {cascade: {small: small, ^lagre: large}}\n",
              "`cascade` needs `large`: a model's or plan's name, or a mechanism; is `lagre` meant "
              "for it?"},
        Wrong{"  a: {cascade: {small: small, large: large, ^treshold: -1}}\n",
              "`cascade` has no key `treshold` (did you mean `threshold`?)"},
        Wrong{"  a: {cascade: {small: small, large: large, threshold: ^0.5}}\n",
              "`threshold` must be a number from -20 to 0, not `0.5`"},
        Wrong{"  a: {cascade: {small: small, large: large, threshold: ^high}}\n", "not `high`"},
        Wrong{"  a: {route: {by: ^dice, small: small, large: large}}\n",
              "`by` of `route` is one of `length`, `linear`, `knn`, `mf`, `ensemble`, `prefill`, "
              "not `dice`"},
        Wrong{"  a: {route: {by: linear, ^router: gone.router, threshold: 0.5, small: small, "
              "large: large}}\n",
              "gone.router: is not there"},
        Wrong{"  a: {route: {by: linear, router: x, ^threshold: 0.5, risk: {alpha: 0.1, delta: "
              "0.1}, small: small, large: large}}\n",
              "needs `threshold` (0 to 1) or `risk: {alpha, delta}`, not both"},
        Wrong{"  a: {route: {by: linear, router: x, risk: ^{alfa: 0.1, delta: 0.1}, small: small, "
              "large: large}}\n",
              "alpha"},
        Wrong{"  a: {route: {by: ^lenght, small: small, large: large}}\n",
              "(did you mean `length`?)"},
        Wrong{"  a: {route: {threshold: ^0, small: small, large: large}}\n",
              "`threshold` must be a number from 1"},
        Wrong{"  a: {route: {small: small, large: {cascade: {small: ^nobody, large: large}}}}\n",
              "there is no model or plan `nobody`"},
        Wrong{"  a: {^fallback: {}}\n", "`fallback` needs `of`: a list of models"},
        Wrong{"  a: {fallback: {^of: small}}\n", "`of` must be a list"},
        Wrong{"  a: {fallback: {^of: []}}\n", "at least one"},
        Wrong{"  a: {fallback: {of: [small, ^nobody]}}\n", "`nobody`"},
        Wrong{"  a: {fallback: {of: [small], timeout_ms: ^-1}}\n", "`timeout_ms` must be"},
        Wrong{"  a: {auto: {^of: [small]}}\n", "needs two plans"},
        Wrong{"  a: {auto: {^of: [small, small]}}\n", "two `small`"},
        Wrong{"  a: {auto: {of: [small, large], safe: ^smal}}\n", "did you mean `small`"},
        Wrong{"  a: {auto: {of: [small, large], budget: {usd_per_hour: ^0}}}\n", "usd_per_hour"},
        Wrong{"  a: {auto: {of: [small, large], budget: {^eur: 1}}}\n", "has no key `eur`"},
        Wrong{"  a: {auto: {of: [small, large], risk: {alpha: ^2, delta: 0.1}}}\n", "alpha"},
        Wrong{"  a: {auto: {of: [small, large], latency: ^fast}}\n", "latency"},
        Wrong{"  a: {auto: {of: [small, large], ^verify: 0.5}}\n", "needs a `verifier`"}));

INSTANTIATE_TEST_SUITE_P(
    Cache, WrongPlan,
    testing::Values(
        Wrong{"  a: {^cache: {ttl: 1h}}\n", "`cache` needs `of`: a model's or"},
        Wrong{"  a: {cache: {of: large, entries: ^0}}\n", "`entries` must be a number from 1"},
        Wrong{"  a: {cache: {of: large, mb: ^many}}\n", "`mb` must be a number"},
        Wrong{"  a: {cache: {of: large, ttl: ^soon}}\n", "ttl"},
        Wrong{"  a: {cache: {of: large, share: ^al}}\n", "(did you mean `all`?)"},
        Wrong{"  a: {cache: {of: large, ^tll: 1h}}\n", "(did you mean `ttl`?)"},
        Wrong{"  a: {cache: {of: large, semantic: ^small}}\n", "`semantic` must be a map"},
        Wrong{"  a: {cache: {of: large, semantic: {^embeder: small, threshold: 0.9}}}\n",
              "`semantic` needs `embedder`: a model's or plan's name, or a mechanism; is `embeder` "
              "meant for it?"},
        Wrong{"  a: {cache: {of: large, semantic: {^embedder: b, threshold: 0.9}}}\n"
              "  b: {fallback: {of: [small]}}\n",
              "`embedder` must be a model"},
        Wrong{"  a: {cache: {of: large, ^semantic: {embedder: small}}}\n",
              "needs either a `threshold` from 0.3 to 1 or a `calibration`"},
        Wrong{"  a: {cache: {of: large, semantic: {embedder: small, threshold: ^2}}}\n",
              "`threshold` must be a number from 0.3 to 1"},
        Wrong{"  a: {cache: {of: large, semantic: {embedder: small, ^calibration: gone}}}\n",
              "gone: is not there; `lichen cache calibrate` makes it"},
        Wrong{"  a: {cache: {of: large, semantic: {embedder: small, threshold: 0.9, ^risk: 1}}}\n",
              "`semantic` has no key `risk`"}));

TEST(Plan, LearnersGoByTheirPlansName) {
  const Result<Config> config = parse_config(
      "plans:\n"
      "  a: {fallback: {of: [{auto: {of: [small, large]}}, {auto: {of: [small, b]}}]}}\n"
      "  b: {auto: {of: [small, large], budget: {large_tokens_per_hour: 5}}}\n",
      "f.yaml");
  ASSERT_TRUE(config) << config.error().detail;
  const Result<Plans> plans = build_plans(*config, models(), detectors());
  ASSERT_TRUE(plans) << plans.error().detail;
  std::vector<std::string> names;
  for (const NamedLearner& named : plans->learners) names.push_back(named.name);
  EXPECT_THAT(names, testing::ElementsAre("a", "b", "a#2"));
}

TEST(Plan, MetricsGoByTheirPlansName) {
  const Result<Config> config = parse_config(
      "plans:\n"
      "  a: {fallback: {of: [{auto: {of: [small, large]}}, {auto: {of: [small, b]}}]}}\n"
      "  b: {auto: {of: [small, large], budget: {large_tokens_per_hour: 5}}}\n",
      "f.yaml");
  ASSERT_TRUE(config) << config.error().detail;
  const Result<Plans> plans = build_plans(*config, models(), detectors());
  ASSERT_TRUE(plans) << plans.error().detail;
  std::vector<std::string> series;
  for (const auto& [plan, metric] : plans->metrics) {
    if (metric.name == "lichen_auto_chosen_total") {
      series.push_back(plan + " " + metric.labels.at("arm"));
    }
    if (metric.name == "lichen_auto_budget") {
      EXPECT_EQ(plan, "b");
      EXPECT_EQ(metric.read(), 5);
    }
  }
  EXPECT_THAT(series, testing::ElementsAre("a small", "a large", "b small", "b large", "a#2 small",
                                           "a#2 b"));
}

TEST(Plan, ALongChainIsAnError) {
  std::string yaml = "plans:\n";
  for (int i = 0; i < 5'000; ++i) {
    yaml += "  p" + std::to_string(i) + ": p" + std::to_string(i + 1) + "\n";
  }
  const Result<Answerers> plans = build(yaml + "  p5000: small\n");
  ASSERT_FALSE(plans);
  EXPECT_THAT(plans.error().detail, HasSubstr("nested deeper than 64 levels"));
}

TEST(Plan, TwoModelsOfOneNameAreAnError) {
  Config config = *parse_config("models: {small: {gguf: x.gguf}}", "f.yaml");
  const auto checked = check_plans(config, models(), detectors());
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().detail, HasSubstr("there are two models `small`"));
}

TEST(Plan, AdaptersAreModels) {
  const std::string yaml =
      "models: {base: {gguf: x.gguf, adapters: [{name: legal, gguf: l.gguf}]}}\nplans: {a: ";
  EXPECT_TRUE(check_plans(*parse_config(yaml + "base+legal}", "f.yaml"), {}, detectors()));
  EXPECT_FALSE(check_plans(*parse_config(yaml + "base+other}", "f.yaml"), {}, detectors()));
}

TEST(Plan, AHandoverIsRefusedBeforeItsModelsAreLoaded) {
  const auto checked = [](const std::string& large) {
    const Result<Config> config = parse_config(
        "models:\n  a: {gguf: a.gguf}\n  b: {gguf: b.gguf}\n"
        "  cloud: {url: \"http://h/v1\", model: m}\n"
        "  goes_on: {url: \"http://h/v1\", model: m, continues: prefix}\n"
        "plans:\n  p:\n    handover:\n      small: a\n      large: " +
            large + "\n",
        "f.yaml");
    EXPECT_TRUE(config) << config.error().detail;
    const auto names = check_plans(*config, {}, detectors());
    return names ? std::string() : names.error().detail;
  };
  EXPECT_EQ(checked("b"), "");
  EXPECT_EQ(checked("goes_on"), "");
  EXPECT_THAT(checked("cloud"),
              AllOf(StartsWith("f.yaml:10:7: "), HasSubstr("give `cloud` `continues:")));
  EXPECT_THAT(checked("a"), HasSubstr("are the same model `a`"));
  EXPECT_THAT(checked("{fallback: {of: [b]}}"), HasSubstr("must be a model"));
}

}  // namespace
}  // namespace lichen::policy
