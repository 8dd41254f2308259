#include "policy/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "mechanisms/distillation/model_versions.h"
#include "mechanisms/routing/calibration_file.h"

namespace lichen::policy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() {
    fs::create_directories(folder_);
    write("a.gguf", "weights a");
    write("b.gguf", "weights b");
  }
  ~IdentityTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  Config config(const std::string& plans) const {
    auto config = parse_config(
        "models:\n"
        "  small: {gguf: a.gguf}\n"
        "  large: {url: \"https://example.com/v1\", model: big}\n"
        "plans:\n" +
            plans,
        folder_ / "lichen.yaml");
    EXPECT_TRUE(config) << config.error().detail;
    return *std::move(config);
  }
  boost::json::object identity(const std::string& plans, const std::string& plan = "p") const {
    const Config loaded = config(plans);
    const auto mechanism = choosing_mechanism(loaded, plan);
    EXPECT_TRUE(mechanism) << mechanism.error().detail;
    if (!mechanism) return {};
    const auto identity = mechanism_identity(loaded, **mechanism);
    EXPECT_TRUE(identity) << identity.error().detail;
    return identity.value_or(boost::json::object{});
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("identity_test_" + std::to_string(getpid()));
};

TEST_F(IdentityTest, HasModelsByWhatTheyAre) {
  const auto found =
      identity("  p: {cascade: {confidence: min, threshold: -1, small: small, large: large}}\n");
  EXPECT_EQ(found.at("mechanism"), "cascade");
  EXPECT_EQ(found.at("confidence"), "min");
  EXPECT_EQ(found.at("small").at("gguf").as_string().size(), 64u);
  EXPECT_EQ(found.at("large").at("url"), "https://example.com/v1");
  EXPECT_EQ(found.at("large").at("model"), "big");
  EXPECT_FALSE(found.contains("threshold"));
  EXPECT_EQ(found, identity("  p: {cascade: {confidence: min, small: small, large: large, shadow: "
                            "{share: 0.1, delta: 0.1}, judge: large}}\n"))
      << "watching changes no score";
}

TEST_F(IdentityTest, ByIsAWordOrAnOperand) {
  const auto found = identity(
      "  p: {cascade: {small: {extract: {plan: large, by: s}}, large: {verify: {of: large, by: "
      "logprob}}}}\n  s: small\n");
  EXPECT_EQ(found.at("small").at("by").at("gguf").as_string().size(), 64u);
  EXPECT_EQ(found.at("large").at("by"), "logprob");
}

TEST_F(IdentityTest, NamesMakeNoDifferenceAndFilesDo) {
  const auto before = identity("  p: {cascade: {small: s, large: large}}\n  s: small\n");
  EXPECT_EQ(before, identity("  p: {cascade: {small: small, large: l}}\n  l: large\n"));
  write("a.gguf", "weights A");
  EXPECT_NE(before, identity("  p: {cascade: {small: s, large: large}}\n  s: small\n"));
}

TEST_F(IdentityTest, TheVersionThatAnswersCounts) {
  const std::string yaml =
      "models:\n"
      "  small: {gguf: a.gguf, versions: learned}\n"
      "  large: {url: \"https://example.com/v1\", model: big}\n"
      "plans:\n"
      "  p: {cascade: {small: small, large: large}}\n";
  const auto now = [&] {
    const auto loaded = parse_config(yaml, folder_ / "lichen.yaml");
    return *mechanism_identity(*loaded, **choosing_mechanism(*loaded, "p"));
  };
  const auto made = now();
  EXPECT_EQ(made, identity("  p: {cascade: {small: small, large: large}}\n"))
      << "nothing is different before the first promotion";
  write("one.gguf", "adapter 1");
  write("two.gguf", "adapter 2");
  auto versions = *mechanisms::ModelVersions::open(folder_ / "learned");
  ASSERT_TRUE(versions.add(folder_ / "one.gguf", "base", ""));
  const auto one = now();
  ASSERT_TRUE(versions.add(folder_ / "two.gguf", "base", ""));
  const auto two = now();
  EXPECT_EQ(mechanisms::first_difference(made, one),
            "in `small`, the model as it was made answered and version 1 does now");
  EXPECT_EQ(mechanisms::first_difference(one, two),
            "in `small`, version 1 answered and version 2 does now");
  ASSERT_TRUE(versions.use(1));
  EXPECT_EQ(now(), one);
}

TEST_F(IdentityTest, AWordThatAPlanIsNamedAfterCountsAsThatPlan) {
  const auto of = [&](const char* answer) {
    return identity(std::string("  p: {cascade: {small: {refine: {draft: large, by: small, mend: "
                                "answer}}, large: large}}\n  answer: ") +
                    answer + "\n");
  };
  EXPECT_EQ(of("large").at("small").at("by").at("gguf").as_string().size(), 64u);
  EXPECT_NE(of("large"), of("small")) << "one change too many, rather than one too few";
}

TEST_F(IdentityTest, APlanMayHaveTheNameOfItsOwnOption) {
  const auto found =
      identity("  min: {cascade: {small: small, large: large, confidence: min}}\n", "min");
  EXPECT_EQ(found.at("confidence").at("confidence"), "min");
}

TEST_F(IdentityTest, OptionsOfOperandsCount) {
  const auto of = [&](const char* threshold) {
    return identity(std::string("  p: {cascade: {large: large, small: {cascade: {small: large, ") +
                    "large: large, threshold: " + threshold + "}}}}\n");
  };
  EXPECT_NE(of("-1"), of("-2"));
}

TEST_F(IdentityTest, FindsTheOneThatChooses) {
  const std::string plans =
      "  p: q\n"
      "  q: {fallback: {of: [r, large]}}\n"
      "  r: {cascade: {small: small, large: large}}\n"
      "  two: {fallback: {of: [r, {cascade: {small: large, large: small}}]}}\n"
      "  none: {fallback: {of: [large, small]}}\n";
  EXPECT_EQ(identity(plans).at("mechanism"), "cascade");
  const Config loaded = config(plans);
  EXPECT_THAT(choosing_mechanism(loaded, "two").error().detail, HasSubstr("more than one"));
  EXPECT_THAT(choosing_mechanism(loaded, "none").error().detail, HasSubstr("no mechanism"));
  EXPECT_EQ(choosing_mechanism(loaded, "gone").error().code, Errc::not_found);
}

TEST_F(IdentityTest, FindsAMechanismByItsName) {
  const std::string plans =
      "  p: {cascade: {small: q, large: large}}\n"
      "  q: {blend: {of: [small, large], rule: product}}\n"
      "  product: q\n"
      "  none: small\n"
      "  two: {fallback: {of: [q, {blend: {of: [large, small]}}]}}\n";
  const Config loaded = config(plans);
  const auto blend = only_mechanism(loaded, "p", "blend");
  ASSERT_TRUE(blend) << blend.error().detail;
  const auto identity = mechanism_identity(loaded, **blend);
  ASSERT_TRUE(identity) << "a plan may be called as its rule";
  EXPECT_EQ(identity->at("of").as_array().size(), 2u);
  EXPECT_THAT(only_mechanism(loaded, "none", "blend").error().detail, HasSubstr("has no `blend`"));
  EXPECT_THAT(only_mechanism(loaded, "two", "blend").error().detail, HasSubstr("more than one"));
  EXPECT_EQ(only_mechanism(loaded, "gone", "blend").error().code, Errc::not_found);
}

TEST_F(IdentityTest, CalibrationsAreTakenOutToMeasureThem) {
  const Config loaded = without_calibrations(
      config("  p: {cascade: {small: small, large: large, risk: {alpha: 0.1, delta: 0.1}, "
             "calibration: none.yet, shadow: {share: 0.1, delta: 0.1}, judge: large}}\n"));
  const YamlNode& cascade = loaded.plans.front().expression.items.front();
  for (const char* key : {"risk", "calibration", "shadow", "judge"}) {
    EXPECT_EQ(cascade.find(key), nullptr) << key;
  }
  EXPECT_EQ(cascade.find("hedge")->text, "never");
  EXPECT_EQ(cascade.find("early_stop")->text, "false");
  EXPECT_NE(cascade.find("small"), nullptr);
}

TEST_F(IdentityTest, AMeasurementLetsDraftsEndUnlessThePlanSaysOtherwise) {
  const Config loaded = with_whole_scores(config(
      "  p: {cascade: {small: small, large: large}}\n"
      "  q: {fallback: {of: [{cascade: {small: small, large: large, early_stop: true}}]}}\n"));
  EXPECT_EQ(loaded.plans[0].expression.items[0].find("early_stop")->text, "false");
  const YamlNode& of = *loaded.plans[1].expression.items[0].find("of");
  EXPECT_EQ(of.items[0].items[0].find("early_stop")->text, "true");
}

TEST_F(IdentityTest, WhatChangesNoAnswerIsLeftOutOfOperandsToo) {
  const auto of = [&](const std::string& options) {
    return identity("  p: {cascade: {small: {cascade: {small: small, large: large" + options +
                    "}}, large: large}}\n");
  };
  EXPECT_EQ(of(""), of(", early_stop: false, shadow: {share: 0.1, delta: 0.1}, judge: large"));
  EXPECT_NE(of(""), of(", judge: large")) << "that may be a mechanism's own word";
}

TEST_F(IdentityTest, WhatIsToBeLearnedIsTakenOutToo) {
  const Config loaded = without_learned(
      config("  p: {cascade: {small: small, large: large, confidence: learned, learned: none.yet, "
             "threshold: 0.6}}\n"));
  const YamlNode& cascade = loaded.plans.front().expression.items.front();
  for (const char* key : {"confidence", "learned", "threshold"}) {
    EXPECT_EQ(cascade.find(key), nullptr) << key;
  }
}

TEST_F(IdentityTest, AHeadThatIsToBeLearnedIsTakenOutToo) {
  const Config loaded = without_learned(
      config("  p: {handover: {small: small, large: large, by: head, head: none.yet, "
             "threshold: 0.6, span: 4}}\n"));
  const YamlNode& handover = loaded.plans.front().expression.items.front();
  for (const char* key : {"by", "head", "threshold"}) EXPECT_EQ(handover.find(key), nullptr) << key;
  EXPECT_EQ(handover.find("span")->text, "4");
}

TEST_F(IdentityTest, AMechanismStandsAloneAtAThreshold) {
  const Config loaded = config(
      "  p: {fallback: {of: [{handover: {small: small, large: large, calibration: none, "
      "risk: {alpha: 0.1, delta: 0.1}}}, large]}}\n");
  const PlanConfig alone = at_threshold(**choosing_mechanism(loaded, "p"), 0.25, "p at 0.25");
  EXPECT_EQ(alone.name, "p at 0.25");
  ASSERT_EQ(alone.expression.items.size(), 1u);
  const YamlNode& handover = alone.expression.items.front();
  EXPECT_EQ(handover.key, "handover");
  EXPECT_EQ(handover.find("threshold")->text, "0.25");
  EXPECT_EQ(handover.find("risk"), nullptr);
  EXPECT_EQ(handover.find("calibration"), nullptr);
  EXPECT_EQ(handover.find("small")->text, "small");
}

TEST_F(IdentityTest, NotesSayWhatHolds) {
  const auto notes = [&](const std::string& alpha) {
    const Config loaded =
        config("  p: {cascade: {small: small, large: large, risk: {alpha: " + alpha +
               ", delta: 0.1}, calibration: p.calibration, shadow: {share: 0.1, delta: 0.1}}}\n");
    return risk_notes(loaded, loaded.plans.front());
  };
  EXPECT_TRUE(notes("0.1").empty()) << "without a file the plan is broken, which is said elsewhere";
  const mechanisms::PlanCalibration calibration{
      .valid_for = {},
      .counts = {.n = 100, .data_hash = "abc", .grid = {{0.5, 40, 0, 0}, {1, 90, 50, 50}}}};
  ASSERT_TRUE(mechanisms::save_plan_calibration(calibration, folder_ / "p.calibration"));
  EXPECT_THAT(notes("0.1"), ElementsAre(HasSubstr("small answers 40.0 %")));
  EXPECT_THAT(notes("0.001"), ElementsAre(HasSubstr("large answers everything: 100 prompts")));
  write("p.calibration.drift", "abc\n");
  EXPECT_THAT(notes("0.1"), ElementsAre(HasSubstr("drift alarm")));
  write("p.calibration.drift", "of an earlier one\n");
  EXPECT_THAT(notes("0.1"), ElementsAre(HasSubstr("small answers 40.0 %")));
}

}  // namespace
}  // namespace lichen::policy
