#include "policy/exposure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> seen(const std::string& plan) {
  const Result<Config> config = parse_config(
      "models:\n"
      "  near: {gguf: n.gguf}\n"
      "  far: {url: \"http://h/v1\", model: m}\n"
      "  other: {url: \"http://h/v1\", model: m}\n"
      "plans:\n"
      "  p: " +
          plan +
          "\n"
          "  named: {fallback: {of: [near, far]}}\n",
      "f.yaml");
  EXPECT_TRUE(config) << config.error().detail;
  std::vector<std::string> seen;
  for (const auto& [model, shown] : exposures(*config, config->plans.front())) {
    seen.push_back(model + " " + std::string(to_string(shown)));
  }
  return seen;
}

TEST(Exposure, WithoutAMaskAllIsClear) {
  EXPECT_THAT(seen("near"), IsEmpty());
  EXPECT_THAT(seen("{cascade: {small: near, large: named}}"), ElementsAre("far clear"));
}

TEST(Exposure, UnderAMaskWhatItsPolicySays) {
  EXPECT_THAT(seen("{mask: {plan: named}}"), ElementsAre("far masked"));
  EXPECT_THAT(seen("{mask: {plan: far, policy: block}}"), ElementsAre("far never"));
  EXPECT_THAT(seen("{mask: {plan: {mask: {plan: far}}, policy: local_only, local: near}}"),
              ElementsAre("far never"));
}

TEST(Exposure, EachWayIsNamed) {
  EXPECT_THAT(seen("{fallback: {of: [{mask: {plan: far}}, far, other]}}"),
              ElementsAre("far clear", "far masked", "other clear"));
}

TEST(Exposure, AnEmbedderSeesWhatItEmbeds) {
  EXPECT_THAT(seen("{cache: {of: near, semantic: {embedder: far, threshold: 0.9}}}"),
              ElementsAre("far clear"));
  EXPECT_THAT(seen("{mask: {plan: {cache: {of: near, semantic: {embedder: far}}}}}"),
              ElementsAre("far masked"));
}

TEST(Exposure, PlansInACircleEnd) { EXPECT_THAT(seen("p"), IsEmpty()); }

}  // namespace
}  // namespace lichen::policy
