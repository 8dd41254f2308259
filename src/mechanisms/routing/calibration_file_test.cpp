#include "mechanisms/routing/calibration_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class CalibrationFileTest : public testing::Test {
 protected:
  ~CalibrationFileTest() override { std::filesystem::remove(path_); }

  std::string bytes() const {
    std::ifstream stream(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string error() const {
    const auto loaded = load_plan_calibrations(path_);
    return loaded ? "" : loaded.error().detail;
  }
  /// As a plan would read it.
  Result<std::optional<double>> threshold() {
    const auto bound = read_plan_bound(options_);
    if (!bound) return std::unexpected(bound.error());
    return bound->transform(least_score);
  }

  const std::string path_ =
      testing::TempDir() + "calibration_file_test_" + std::to_string(getpid()) + ".calibration";
  PlanCalibration calibration_{
      .valid_for = {{"confidence", "min"}},
      .made_with = {{"suite", "calibration"}},
      .counts = {.n = 100,
                 .data_hash = "abc",
                 .grid = {{-0.5, 0, 0, 0}, {0.1, 40, 1, 3}, {2.5, 90, 30, 50}}}};
  ScriptedOptions options_;
};

TEST_F(CalibrationFileTest, KeepsWhatWasCounted) {
  ASSERT_TRUE(save_plan_calibration(calibration_, path_));
  const auto loaded = load_plan_calibrations(path_);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  ASSERT_EQ(loaded->size(), 1U);
  const PlanCalibration& kept = loaded->front();
  EXPECT_EQ(kept.valid_for, calibration_.valid_for);
  EXPECT_EQ(kept.made_with, calibration_.made_with);
  EXPECT_EQ(kept.counts.n, 100);
  EXPECT_EQ(kept.counts.data_hash, "abc");
  ASSERT_EQ(kept.counts.grid.size(), 3u);
  EXPECT_EQ(kept.counts.grid[1].threshold, 0.1);
  EXPECT_EQ(kept.counts.grid[1].by_small, 40);
  EXPECT_EQ(kept.counts.grid[1].losses, 1);
  EXPECT_EQ(kept.counts.grid[1].unlike, 3);
}

TEST_F(CalibrationFileTest, HoldsOneForEachVersionOfTheModels) {
  const auto with = [this](int version, std::int64_t n) {
    boost::json::object small{{"gguf", "aa"}};
    if (version > 0) small["version"] = version;
    if (version > 0) small["adapter"] = "hash" + std::to_string(version);
    calibration_.valid_for = {{"confidence", "min"}, {"small", small}};
    calibration_.counts.n = n;
    return calibration_;
  };
  for (int version = 0; version < 10; ++version) {
    ASSERT_TRUE(save_plan_calibration(with(version, 100 + version), path_));
  }
  ASSERT_TRUE(save_plan_calibration(with(7, 200), path_));
  const auto all = load_plan_calibrations(path_);
  ASSERT_TRUE(all) << all.error().detail;
  EXPECT_EQ(all->size(), 8U);
  EXPECT_EQ(all->front().counts.n, 200) << "the newest";
  EXPECT_EQ(calibration_for(*all, with(4, 0).valid_for).counts.n, 104);
  EXPECT_EQ(calibration_for(*all, with(7, 0).valid_for).counts.n, 200) << "once";
  EXPECT_EQ(calibration_for(*all, with(0, 0).valid_for).counts.n, 200) << "no more there";

  calibration_.counts.n = 100;
  calibration_.valid_for = {{"confidence", "mean"}, {"small", {{"gguf", "aa"}}}};
  ASSERT_TRUE(save_plan_calibration(calibration_, path_));
  EXPECT_EQ(load_plan_calibrations(path_)->size(), 1U) << "another plan";
}

TEST_F(CalibrationFileTest, RefusesForeignAndDamagedFiles) {
  EXPECT_THAT(error(), HasSubstr("is not there"));
  write("");
  EXPECT_THAT(error(), HasSubstr("is no calibration"));
  write("{\"other\": 1}\n");
  EXPECT_THAT(error(), HasSubstr("is no calibration"));
  ASSERT_TRUE(save_plan_calibration(calibration_, path_));
  const std::string whole = bytes();
  for (std::size_t size = 0; size + 1 < whole.size(); size += 7) {
    write(whole.substr(0, size));
    EXPECT_NE(error(), "") << size;
  }
  std::string changed = whole;
  changed[changed.find("40")] = '5';
  write(changed);
  EXPECT_THAT(error(), HasSubstr("checksum"));
}

TEST_F(CalibrationFileTest, RefusesCountsThatCannotBe) {
  for (const std::vector<GridPoint>& grid :
       std::vector<std::vector<GridPoint>>{{{0.1, 101, 0}},
                                           {{0.1, 5, 6}},
                                           {{0.2, 5, 1}, {0.1, 6, 1}},
                                           {{0.1, 5, 1}, {0.2, 4, 1}}}) {
    calibration_.counts.grid = grid;
    ASSERT_TRUE(save_plan_calibration(calibration_, path_));
    EXPECT_THAT(error(), HasSubstr("does not hold"));
  }
}

TEST_F(CalibrationFileTest, APlanTakesTheBoldestThresholdThatHolds) {
  ASSERT_TRUE(save_plan_calibration(calibration_, path_));
  options_.choices = {{"confidence", "min"}, {"calibration", path_}};
  options_.maps = {{"risk", {0.05, 0.1}}};
  const auto score = threshold();
  ASSERT_TRUE(score) << score.error().detail;
  EXPECT_GT(**score, -0.1) << "a need at the threshold is large's";
  EXPECT_NEAR(**score, -0.1, 1e-12);
  options_.maps = {{"risk", {0.001, 0.1}}};
  EXPECT_TRUE(std::isinf(**threshold())) << "too little data for so small a risk";
}

TEST_F(CalibrationFileTest, APlanOfAnotherConfidenceIsRefused) {
  ASSERT_TRUE(save_plan_calibration(calibration_, path_));
  options_.choices = {{"confidence", "mean"}, {"calibration", path_}};
  options_.maps = {{"risk", {0.05, 0.1}}};
  EXPECT_THAT(threshold().error().detail, HasSubstr("`confidence` was min and is mean"));
  EXPECT_THAT(threshold().error().detail, HasSubstr("lichen route calibrate"));
}

TEST_F(CalibrationFileTest, RiskAndCalibrationGoTogether) {
  EXPECT_FALSE(threshold()->has_value()) << "neither is there";
  options_.maps = {{"risk", {0.05, 0.1}}};
  EXPECT_THAT(threshold().error().detail, HasSubstr("go together"));
  options_.choices = {{"calibration", path_}};
  EXPECT_THAT(threshold().error().detail, HasSubstr("is not there"));
  options_.numbers = {{"threshold", 0.5}};
  EXPECT_THAT(threshold().error().detail, HasSubstr("not both"));
  options_.numbers.clear();
  options_.maps.clear();
  EXPECT_THAT(threshold().error().detail, HasSubstr("go together"));
}

TEST(PlanThresholds, GrowAndCoverLogProbabilitiesAndProbabilities) {
  const auto needs = plan_thresholds();
  EXPECT_TRUE(std::ranges::is_sorted(needs));
  EXPECT_EQ(std::ranges::adjacent_find(needs), needs.end()) << "each once";
  EXPECT_EQ(needs.front(), -1) << "no probability is over 1: all to large";
  EXPECT_GT(needs.back(), 20) << "no log-probability that counts is under it";
  const auto between = [&](double low, double high) {
    return std::ranges::count_if(needs, [&](double need) { return low < need && need < high; });
  };
  EXPECT_GT(between(-1, -0.9), 50) << "scores near 1";
  EXPECT_GT(between(-0.1, 0), 50) << "scores over 0";
  EXPECT_GT(between(0, 0.1), 50) << "scores under 0";
}

TEST(FirstDifference, SaysWhere) {
  const boost::json::object a{{"x", "1"}, {"small", {{"gguf", "aa"}}}};
  EXPECT_EQ(first_difference(a, a), "");
  auto b = a;
  b["small"] = {{"gguf", "bb"}};
  EXPECT_EQ(first_difference(a, b), "in `small`, `gguf` was aa and is bb");
  b = a;
  b["q"] = "0.5";
  EXPECT_EQ(first_difference(a, b), "`q` was not there and is 0.5");
}

}  // namespace
}  // namespace lichen::mechanisms
