#include "policy/bound_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "mechanisms/distillation/model_versions.h"
#include "mechanisms/routing/calibration_file.h"
#include "policy/identity.h"

namespace lichen::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Config config(const std::string& plans) {
  auto config = parse_config(
      "models:\n"
      "  small: {gguf: small.gguf, versions: learned}\n"
      "  draft: {gguf: draft.gguf}\n"
      "  large: {url: \"https://example.com/v1\", model: big}\n"
      "plans:\n" +
          plans,
      "/home/lichen.yaml");
  EXPECT_TRUE(config) << config.error().detail;
  return *std::move(config);
}

std::vector<std::string> files_of(const Config& config, std::string_view model) {
  std::vector<std::string> lines;
  for (const BoundFile& file : bound_files(config, model)) lines.push_back(how_to_make_anew(file));
  return lines;
}

TEST(BoundFiles, ACachesThresholdIsItsEmbedders) {
  const Config found = config(
      "  kept:\n"
      "    cache: {of: large, semantic: {embedder: small, calibration: a.similarity}}\n");
  EXPECT_THAT(files_of(found, "small"),
              ElementsAre("/home/a.similarity (plan kept): lichen cache calibrate --embedder small "
                          "--pairs PAIRS -o /home/a.similarity"));
  EXPECT_THAT(files_of(found, "draft"), IsEmpty());
}

TEST(BoundFiles, WhatIsLearnedComesBeforeTheCalibrationOfIt) {
  const Config found = config(
      "  bounded:\n"
      "    cascade: {calibration: a.calibration, risk: {alpha: 0.1, delta: 0.1},\n"
      "              learned: a.confidence, confidence: learned, small: small, large: large}\n");
  EXPECT_THAT(
      files_of(found, "small"),
      ElementsAre("/home/a.confidence (plan bounded): lichen route train --plan bounded -o "
                  "/home/a.confidence",
                  "/home/a.calibration (plan bounded): lichen route calibrate --plan bounded -o "
                  "/home/a.calibration"));
  EXPECT_THAT(files_of(found, "draft"), IsEmpty());
}

TEST(BoundFiles, AModelBelowAnotherPlanCounts) {
  const Config found = config(
      "  fast: {speculate: {draft: draft, target: small}}\n"
      "  outer: {mask: {of: {cascade: {calibration: b.calibration, risk: {alpha: 0.1, delta: "
      "0.1},\n"
      "                                small: fast, large: large}}}}\n");
  EXPECT_THAT(bound_files(found, "draft"), testing::SizeIs(1));
  ASSERT_THAT(bound_files(found, "small"), testing::SizeIs(1));
  EXPECT_THAT(bound_files(found, "small")[0].models, ElementsAre("draft", "small"));
  EXPECT_THAT(bound_files(found, "large"), IsEmpty()) << "it has no versions to change";
}

TEST(BoundFiles, HeadsRoutersAndWeightsAreOfTheirOperands) {
  const Config found = config(
      "  h: {handover: {by: head, head: h.head, threshold: 0.5, small: small, large: draft}}\n"
      "  r: {route: {by: linear, router: r.router, threshold: 0.5, small: draft, large: large}}\n"
      "  b: {blend: {of: [small, draft], weights: learned, learned: b.weights}}\n");
  EXPECT_THAT(files_of(found, "small"),
              ElementsAre("/home/h.head (plan h): lichen route train --plan h -o /home/h.head",
                          "/home/b.weights (plan b): lichen blend --plan b -o /home/b.weights"));
  EXPECT_THAT(files_of(found, "draft"),
              ElementsAre("/home/r.router (plan r): lichen route collect, then lichen route train, "
                          "then lichen route calibrate",
                          "/home/b.weights (plan b): lichen blend --plan b -o /home/b.weights"));
}

TEST(BoundFiles, ACalibrationThatHoldsForTheVersionThatAnswersIsNotStale) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("lichen-bound-" + std::to_string(getpid()));
  fs::create_directories(folder);
  for (const char* name : {"small.gguf", "large.gguf", "one.gguf"}) {
    std::ofstream(folder / name) << name;
  }
  Config found = *parse_config(
      "models:\n"
      "  small: {gguf: small.gguf, versions: learned}\n"
      "  large: {gguf: large.gguf}\n"
      "plans:\n"
      "  p: {cascade: {small: small, large: large, calibration: p.calibration,\n"
      "                risk: {alpha: 0.1, delta: 0.1}}}\n",
      folder / "lichen.yaml");
  const auto calibrated = [&] {
    const auto mechanism = choosing_mechanism(found, "p");
    const auto identity = mechanism_identity(found, **mechanism);
    EXPECT_TRUE(mechanisms::save_plan_calibration({.valid_for = *identity, .counts = {.n = 50}},
                                                  folder / "p.calibration"));
  };
  EXPECT_THAT(stale_files(found, "small"), testing::SizeIs(1)) << "it is not there";
  calibrated();
  EXPECT_THAT(stale_files(found, "small"), IsEmpty());

  auto versions = *mechanisms::ModelVersions::open(folder / "learned");
  ASSERT_TRUE(versions.add(folder / "one.gguf", "base", ""));
  EXPECT_THAT(stale_files(found, "small"), testing::SizeIs(1));
  calibrated();
  EXPECT_THAT(stale_files(found, "small"), IsEmpty());
  ASSERT_TRUE(versions.use(0));
  EXPECT_THAT(stale_files(found, "small"), IsEmpty()) << "the file has it for both";
  std::get<model::LocalModelOptions>(found.models[0].options).version = 1;
  EXPECT_THAT(stale_files(found, "small"), IsEmpty());
  fs::remove_all(folder);
}

}  // namespace
}  // namespace lichen::policy
