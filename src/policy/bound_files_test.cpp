#include "policy/bound_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace lichen::policy
