#include "policy/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mechanisms/scripted_model.h"

namespace lichen::policy {
namespace {

using mechanisms::run;
using mechanisms::Script;
using mechanisms::ScriptedModel;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<ModelPtr> models() {
  const auto model = [](const char* name, float logprob) {
    return std::make_shared<ScriptedModel>(
        name, std::vector<Script>{{.text = std::string("by ") + name, .logprob = logprob}});
  };
  return {model("small", -1), model("large", -0.1f)};
}

Result<Answerers> build(const std::string& plans) {
  Result<Config> config = parse_config("plans:\n" + plans, "f.yaml");
  EXPECT_TRUE(config) << config.error().detail;
  if (!config) return Answerers{};
  Result<Answerers> built = build_plans(*config, models());
  // The check before loading must find the same.
  const auto checked = check_plans(*config, models());
  EXPECT_EQ(checked.has_value(), built.has_value());
  if (!checked && !built) {
    EXPECT_EQ(checked.error().detail, built.error().detail);
  }
  return built;
}

std::string answer(const Answerers& plans, const std::string& plan, std::string question = "hi") {
  Turn turn(plan);
  Result<Answer> answer =
      run(plans.at(plan)->answer({.messages = {{"user", std::move(question)}}}, turn));
  return answer ? answer->text : answer.error().detail;
}

TEST(Plan, EveryModelAnswersByItsName) {
  const Result<Answerers> plans = build("  {}\n");
  ASSERT_TRUE(plans) << plans.error().detail;
  EXPECT_EQ(plans->size(), 2u);
  EXPECT_EQ(answer(*plans, "small"), "by small");
}

TEST(Plan, ANameStandsForAModelOrAPlan) {
  const Result<Answerers> plans = build("  a: b\n  b: c\n  c: large\n");
  ASSERT_TRUE(plans) << plans.error().detail;
  EXPECT_EQ(answer(*plans, "a"), "by large");
  EXPECT_EQ(plans->at("a"), plans->at("c")) << "built once";
}

TEST(Plan, MechanismsNest) {
  const Result<Answerers> plans = build(R"(  default:
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
  const Result<Answerers> plans = build(
      "  a: {fallback: {of: [broken, small]}}\n"
      "  broken: {route: {small: small, large: large}}\n");
  ASSERT_TRUE(plans) << plans.error().detail;
  EXPECT_EQ(answer(*plans, "a"), "by small");
}

struct Wrong {
  const char* plans;
  const char* place;    // line:column; the plans begin in line 2
  const char* message;  // a part of it
};

class WrongPlan : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPlan, IsAnErrorWithItsPlace) {
  const Result<Answerers> plans = build(GetParam().plans);
  ASSERT_FALSE(plans) << GetParam().plans;
  EXPECT_EQ(plans.error().code, Errc::bad_config);
  EXPECT_THAT(plans.error().detail,
              AllOf(StartsWith("f.yaml:" + std::string(GetParam().place) + ": "),
                    HasSubstr(GetParam().message)))
      << GetParam().plans;
}

INSTANTIATE_TEST_SUITE_P(
    Names, WrongPlan,
    testing::Values(
        Wrong{"  a: smal\n", "2:6",
              "there is no model or plan `smal` (did you mean `small`?); there are: `a`, `large`, "
              "`small`"},
        Wrong{"  a: cascade\n", "2:6", "`cascade` is a mechanism and needs its options"},
        Wrong{"  a: a\n", "2:6", "plans in a circle: `a` -> `a`"},
        Wrong{"  a: b\n  b: {cascade: {small: small, large: c}}\n  c: a\n", "4:6",
              "plans in a circle: `a` -> `b` -> `c` -> `a`; one of them must name a model"},
        Wrong{"  a: small\n  large: small\n", "3:3", "`large` is already a model"},
        Wrong{"  a: {blend: {of: [small]}}\n", "2:7",
              "there is no mechanism `blend`; there are: `cascade`, `fallback`, `route`"},
        Wrong{"  a: {cascad: {small: small}}\n", "2:7", "(did you mean `cascade`?)"}));

INSTANTIATE_TEST_SUITE_P(
    Form, WrongPlan,
    testing::Values(
        Wrong{"  a:\n", "2:5",
              "a plan is the name of a model or of another plan, or one mechanism"},
        Wrong{"  a: [small]\n", "2:6", "a plan is the name"},
        Wrong{"  a: {}\n", "2:6", "a plan is the name"},
        Wrong{"  a: {route: {}, cascade: {}}\n", "2:6", "here are 2 keys: `route`, `cascade`"},
        Wrong{"  a:\n    route:\n    small: small\n    large: large\n", "3:5",
              "here are 3 keys: `route`, `small`, `large` (indent the options of `route` under "
              "it)"},
        Wrong{"  a: {route: small}\n", "2:14", "`route` must be a map of keys and values"},
        Wrong{"  a: {route: }\n", "2:7", "`route` must be a map of keys and values, not nothing"}));

INSTANTIATE_TEST_SUITE_P(
    Options, WrongPlan,
    testing::Values(
        Wrong{"  a: {cascade: {small: small}}\n", "2:7", "`cascade` needs `large`: a model's or"},
        Wrong{"  a: {cascade: {small: small, lagre: large}}\n", "2:33",
              "`cascade` needs `large`: a model's or plan's name, or a mechanism; is `lagre` meant "
              "for it?"},
        Wrong{"  a: {cascade: {small: small, large: large, treshold: -1}}\n", "2:47",
              "`cascade` has no key `treshold` (did you mean `threshold`?)"},
        Wrong{"  a: {cascade: {small: small, large: large, threshold: 0.5}}\n", "2:58",
              "`threshold` must be a number from -20 to 0, not `0.5`"},
        Wrong{"  a: {cascade: {small: small, large: large, threshold: high}}\n", "2:58",
              "not `high`"},
        Wrong{"  a: {route: {by: dice, small: small, large: large}}\n", "2:19",
              "`by` of `route` is one of `length`, not `dice`"},
        Wrong{"  a: {route: {by: lenght, small: small, large: large}}\n", "2:19",
              "(did you mean `length`?)"},
        Wrong{"  a: {route: {threshold: 0, small: small, large: large}}\n", "2:26",
              "`threshold` must be a number from 1"},
        Wrong{"  a: {route: {small: small, large: {cascade: {small: nobody, large: large}}}}\n",
              "2:55", "there is no model or plan `nobody`"},
        Wrong{"  a: {fallback: {}}\n", "2:7", "`fallback` needs `of`: a list of models"},
        Wrong{"  a: {fallback: {of: small}}\n", "2:18", "`of` must be a list"},
        Wrong{"  a: {fallback: {of: []}}\n", "2:18", "at least one"},
        Wrong{"  a: {fallback: {of: [small, nobody]}}\n", "2:30", "`nobody`"},
        Wrong{"  a: {fallback: {of: [small], timeout_ms: -1}}\n", "2:43", "`timeout_ms` must be"}));

TEST(Plan, ALongChainIsAnError) {
  std::string yaml;
  for (int i = 0; i < 5'000; ++i) {
    yaml += "  p" + std::to_string(i) + ": p" + std::to_string(i + 1) + "\n";
  }
  const Result<Answerers> plans = build(yaml + "  p5000: small\n");
  ASSERT_FALSE(plans);
  EXPECT_THAT(plans.error().detail, HasSubstr("nested deeper than 64 levels"));
}

TEST(Plan, TwoModelsOfOneNameAreAnError) {
  Config config = *parse_config("models: {small: {gguf: x.gguf}}", "f.yaml");
  const auto checked = check_plans(config, models());
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().detail, HasSubstr("there are two models `small`"));
}

TEST(Plan, AdaptersAreModels) {
  const std::string yaml =
      "models: {base: {gguf: x.gguf, adapters: [{name: legal, gguf: l.gguf}]}}\nplans: {a: ";
  EXPECT_TRUE(check_plans(*parse_config(yaml + "base+legal}", "f.yaml"), {}));
  EXPECT_FALSE(check_plans(*parse_config(yaml + "base+other}", "f.yaml"), {}));
}

}  // namespace
}  // namespace lichen::policy
