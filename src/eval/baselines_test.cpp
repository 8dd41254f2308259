#include "eval/baselines.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lichen::eval {
namespace {

/// Of this process: tests run side by side.
std::filesystem::path own_folder() {
  auto folder =
      std::filesystem::path(testing::TempDir()) / ("baselines_test_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  return folder;
}

policy::ModelConfig local(std::string name, std::filesystem::path gguf,
                          std::optional<Price> price = {}) {
  model::LocalModelOptions options;
  options.gguf = std::move(gguf);
  options.price = price;
  return {.name = std::move(name), .options = options};
}

policy::ModelConfig remote(std::string name, std::optional<Price> price = {}) {
  model::RemoteModelOptions options;
  options.price = price;
  return {.name = std::move(name), .options = options};
}

policy::Config config_of(std::vector<policy::ModelConfig> models) {
  policy::Config config;
  config.models = std::move(models);
  return config;
}

std::set<std::string> large_of(std::vector<policy::ModelConfig> models) {
  return large_models(config_of(std::move(models)));
}

TEST(ForMeasuring, NoPlanProfitsFromTheOnesBefore) {
  const auto config = for_measuring(config_of({local("a", "a.gguf"), remote("r")}));
  EXPECT_EQ(config.ledger.path, "none");
  const auto& options = std::get<model::LocalModelOptions>(config.models[0].options);
  EXPECT_EQ(options.batcher.prefix_cache_bytes, 0);
  EXPECT_TRUE(options.repeatable);
}

TEST(LargeModels, NameThenPriceThenRemoteThenSize) {
  const auto folder = own_folder();
  std::ofstream(folder / "a.gguf") << "12";
  std::ofstream(folder / "b.gguf") << "1234";
  const auto a = local("a", folder / "a.gguf"), b = local("b", folder / "b.gguf");
  EXPECT_EQ(large_of({}), std::set<std::string>{});
  EXPECT_EQ(large_of({a}), std::set<std::string>{});
  EXPECT_EQ(large_of({b, a}), std::set<std::string>{"b"});
  EXPECT_EQ(large_of({b, remote("r"), a}), std::set<std::string>{"r"});
  EXPECT_EQ(large_of({remote("r"), local("c", "c", Price{.output = 2}), remote("s")}),
            std::set<std::string>{"c"});
  EXPECT_EQ(large_of({remote("r", Price{.output = 2}), local("large", "c")}),
            std::set<std::string>{"large"});
}

TEST(Baselines, OneSmallAndOneLargeAlone) {
  const auto folder = own_folder();
  std::ofstream(folder / "a.gguf") << "12";
  std::ofstream(folder / "b.gguf") << "1234";
  const auto a = local("a", folder / "a.gguf"), b = local("b", folder / "b.gguf");
  const auto dear = remote("dear", Price{.output = 9}), cheap = remote("cheap", Price{.output = 2});

  auto found = baselines_of(config_of({dear, cheap, b, a}), {});
  EXPECT_EQ(found.large, std::set<std::string>{"dear"});
  EXPECT_EQ(found.large_alone, "dear");
  EXPECT_EQ(found.small_alone, "a") << "no price, local, the smaller file";

  found = baselines_of(config_of({dear, cheap, b, a}), {"cheap", "dear"});
  EXPECT_EQ(found.large_alone, "dear") << "the dearest of those that were named";
  EXPECT_EQ(found.small_alone, "a");

  found = baselines_of(config_of({a, local("small", "c.gguf"), b}), {});
  EXPECT_EQ(found.large_alone, "b");
  EXPECT_EQ(found.small_alone, "small") << "by its name";

  found = baselines_of(config_of({a}), {});
  EXPECT_EQ(found.large_alone, "");
  EXPECT_EQ(found.small_alone, "a");
}

}  // namespace
}  // namespace lichen::eval
