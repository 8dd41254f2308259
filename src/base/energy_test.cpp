#include "base/energy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace lichen::base {
namespace {

namespace fs = std::filesystem;

/// A powercap tree on disk, as the kernel lays it out.
class EnergyMeterTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) /
            ("lichen_energy_" + std::string(test->name()) + std::to_string(getpid()));
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void zone(const std::string& folder, const std::string& name, std::uint64_t uj,
            std::uint64_t range = 1'000'000'000) {
    fs::create_directories(root_ / folder);
    write(folder, "name", name);
    write(folder, "energy_uj", std::to_string(uj));
    write(folder, "max_energy_range_uj", std::to_string(range));
  }
  void write(const std::string& folder, const std::string& file, const std::string& text) {
    std::ofstream(root_ / folder / file) << text << '\n';
  }

  fs::path root_;
};

TEST_F(EnergyMeterTest, SumsThePackagesSinceTheLastCall) {
  zone("intel-rapl:0", "package-0", 1'000'000);
  zone("intel-rapl:1", "package-1", 5'000'000);
  auto meter = EnergyMeter::open(root_);
  ASSERT_TRUE(meter);
  EXPECT_EQ(meter->take(), 0.0);
  zone("intel-rapl:0", "package-0", 3'500'000);
  zone("intel-rapl:1", "package-1", 5'250'000);
  EXPECT_DOUBLE_EQ(meter->take().value(), 2.75);
  EXPECT_EQ(meter->take(), 0.0);
}

TEST_F(EnergyMeterTest, CountsNothingTwice) {
  zone("intel-rapl:0", "package-0", 0);
  zone("intel-rapl:0:0", "core", 0);
  zone("intel-rapl:1", "psys", 0);
  zone("intel-rapl-mmio:0", "package-0", 0);
  auto meter = EnergyMeter::open(root_);
  ASSERT_TRUE(meter);
  for (const char* folder : {"intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1", "intel-rapl-mmio:0"})
    write(folder, "energy_uj", "2000000");
  EXPECT_DOUBLE_EQ(meter->take().value(), 2);
}

TEST_F(EnergyMeterTest, WrapsAround) {
  zone("intel-rapl:0", "package-0", 9'000'000, 10'000'000);
  auto meter = EnergyMeter::open(root_);
  ASSERT_TRUE(meter);
  write("intel-rapl:0", "energy_uj", "500000");
  EXPECT_DOUBLE_EQ(meter->take().value(), 1.5);
}

TEST_F(EnergyMeterTest, AResetOfUnknownSizeIsUnknown) {
  zone("intel-rapl:0", "package-0", 9'000'000, 0);
  auto meter = EnergyMeter::open(root_);
  ASSERT_TRUE(meter);
  write("intel-rapl:0", "energy_uj", "500000");
  EXPECT_EQ(meter->take(), std::nullopt);
  write("intel-rapl:0", "energy_uj", "1500000");
  EXPECT_DOUBLE_EQ(meter->take().value(), 1);
}

TEST_F(EnergyMeterTest, AFailedReadingMakesBothItsIntervalsUnknown) {
  zone("intel-rapl:0", "package-0", 0);
  zone("intel-rapl:1", "package-1", 0);
  auto meter = EnergyMeter::open(root_);
  ASSERT_TRUE(meter);
  write("intel-rapl:1", "energy_uj", "garbage");
  EXPECT_EQ(meter->take(), std::nullopt);
  write("intel-rapl:0", "energy_uj", "4000000");
  write("intel-rapl:1", "energy_uj", "3000000");
  EXPECT_EQ(meter->take(), std::nullopt) << "package 1 has no reading to count from";
  write("intel-rapl:0", "energy_uj", "5000000");
  write("intel-rapl:1", "energy_uj", "3500000");
  EXPECT_DOUBLE_EQ(meter->take().value(), 1.5);
}

TEST_F(EnergyMeterTest, NoCounterNoMeter) {
  EXPECT_FALSE(EnergyMeter::open(root_));
  EXPECT_FALSE(EnergyMeter::open(root_ / "missing"));
  zone("intel-rapl:0", "psys", 0);
  EXPECT_FALSE(EnergyMeter::open(root_));
  zone("intel-rapl:1", "package-0", 0);
  EXPECT_TRUE(EnergyMeter::open(root_));
  zone("intel-rapl:2", "package-1", 0);
  fs::remove(root_ / "intel-rapl:2" / "energy_uj");
  EXPECT_FALSE(EnergyMeter::open(root_)) << "a sum without one package would be wrong";
}

}  // namespace
}  // namespace lichen::base
