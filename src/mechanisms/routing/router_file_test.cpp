#include "mechanisms/routing/router_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <cstring>
#include <limits>

#include "mechanisms/routing/hashing.h"
#include "mechanisms/routing/router_training.h"
#include "mechanisms/routing/text_router.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

/// Questions with an even number are small's, with "prove" large's.
std::vector<Example> examples() {
  std::vector<Example> all;
  for (int i = 0; i < 60; ++i) {
    const bool hard = i % 3 == 0;
    all.push_back({.prompt = (hard ? "Prove lemma " : "Add the number ") + std::to_string(i),
                   .small_right = !hard,
                   .large_right = i % 7 != 0 || hard});
  }
  return all;
}

RouterFile trained() {
  return *train_router(examples(), {.features = {.hash_bits = kMinHashBits}});
}

std::string error_of(std::string_view bytes) {
  const auto file = parse_router_file(bytes, "x.router");
  if (file) return "";
  EXPECT_EQ(file.error().code, Errc::bad_model);
  EXPECT_THAT(file.error().detail, HasSubstr("x.router: "));
  return file.error().detail;
}

/// With the checksum that the changed bytes ought to have.
std::string resealed(std::string bytes) {
  bytes.resize(bytes.size() - SHA256_DIGEST_LENGTH);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return bytes.append(reinterpret_cast<const char*>(digest), sizeof digest);
}

std::string replaced(std::string bytes, std::string_view from, std::string_view to) {
  EXPECT_EQ(from.size(), to.size());
  const auto at = bytes.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return resealed(bytes.replace(at, from.size(), to));
}

TEST(RouterFile, ComesBackAsItWas) {
  RouterFile file = trained();
  file.origin = {.data_hash = "ab", .examples = 60, .seed = 7, .small = "s", .large = "l \"x\""};
  file.calibration =
      Calibration{.n = 9, .data_hash = "cd", .grid = {{0.25, 3, 1, 2}, {0.5, 6, 2, 3}}};
  const auto read = parse_router_file(serialized(file), "x.router");
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->origin.large, "l \"x\"");
  EXPECT_EQ(read->origin.seed, 7u);
  EXPECT_EQ(read->features, file.features);
  EXPECT_THAT(read->thresholds, testing::Pointwise(testing::DoubleEq(), file.thresholds));
  ASSERT_TRUE(read->calibration);
  EXPECT_EQ(read->calibration->grid.at(1).losses, 2);
  EXPECT_EQ(read->calibration->grid.at(1).unlike, 3);
  const auto router = make_text_router(*read);
  const auto before = make_text_router(file);
  ASSERT_TRUE(router && before);
  for (const Example& example : examples()) {
    EXPECT_NEAR((*router)->need(example.prompt), (*before)->need(example.prompt), 0.02);
  }
  EXPECT_GT((*router)->need("Prove lemma 1000"), (*router)->need("Add the number 1000"));
}

TEST(RouterFile, TrainingRepeatsItself) { EXPECT_EQ(serialized(trained()), serialized(trained())); }

TEST(RouterFile, RefusesWhatIsNone) {
  EXPECT_THAT(error_of(""), HasSubstr("is no router file"));
  EXPECT_THAT(error_of("GGUF"), HasSubstr("is no router file"));
  EXPECT_THAT(error_of("LICHENRT"), HasSubstr("is cut short"));
  std::string bytes = serialized(trained());
  bytes[8] = 2;
  EXPECT_THAT(error_of(resealed(bytes)), HasSubstr("version 2, and this program reads version 1"));
}

TEST(RouterFile, RefusesEveryCutAndEveryChangedByte) {
  const std::string bytes = serialized(trained());
  for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 50) {
    EXPECT_NE(error_of(bytes.substr(0, size)), "") << size;
  }
  for (std::size_t at = 0; at < bytes.size(); at += 1 + at / 50) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_NE(error_of(damaged), "") << at;
  }
}

TEST(RouterFile, RefusesWhatIsWellSealedButWrong) {
  const std::string bytes = serialized(trained());
  EXPECT_THAT(error_of(replaced(bytes, R"("linear")", R"("cosine")")), HasSubstr("`kind`"));
  EXPECT_THAT(error_of(replaced(bytes, R"("hash_bits":8)", R"("hash_bits":7)")),
              HasSubstr("`hash_bits`"));
  EXPECT_THAT(error_of(replaced(bytes, R"("encoding":"f32")", R"("encoding":"f64")")),
              HasSubstr("`encoding`"));
  EXPECT_THAT(error_of(replaced(bytes, R"("count":16)", R"("count":17)")), HasSubstr("cut short"));
  EXPECT_THAT(error_of(replaced(bytes, R"("count":16)", R"("count":15)")), testing::Ne(""));
  EXPECT_THAT(error_of(replaced(bytes, R"("count":16)", R"("count":-1)")), HasSubstr("`count`"));
  std::string longer = bytes;
  EXPECT_THAT(error_of(resealed(longer.insert(longer.size() - SHA256_DIGEST_LENGTH, "x"))),
              HasSubstr("after its last table"));
  std::string header = bytes;
  header[15] = 0x7F;
  EXPECT_THAT(error_of(resealed(header)), HasSubstr("longer than the file"));
}

TEST(RouterFile, NoNumberIsRefused) {
  RouterFile file = trained();
  for (Table& table : file.tables) {
    if (table.name == "only_large_bias") {
      table.values = {std::numeric_limits<float>::quiet_NaN()};
    }
  }
  EXPECT_THAT(error_of(serialized(file)), HasSubstr("no number"));
}

TEST(RouterFile, RandomChangesUnderARightSealNeverCrash) {
  const std::string bytes = serialized(trained());
  for (std::uint64_t i = 0; i < 300; ++i) {
    std::string changed = bytes;
    for (std::uint64_t k = 0; k < 3; ++k) {
      // The header is where the sizes are.
      const std::size_t within = k == 2 ? changed.size() - SHA256_DIGEST_LENGTH : 900;
      changed[mixed(i * 6 + k * 2) % within] = static_cast<char>(mixed(i * 6 + k * 2 + 1));
    }
    const auto file = parse_router_file(resealed(changed), "x.router");
    if (!file) continue;
    if (const auto router = make_text_router(*file)) (void)(*router)->need("Prove lemma 3");
  }
}

TEST(RouterFile, TablesMustFitTheKind) {
  RouterFile file = trained();
  std::erase_if(file.tables, [](const Table& table) { return table.name == "only_small_weights"; });
  const auto missing = make_text_router(file);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().detail, HasSubstr("has no table `only_small_weights`"));
  file = trained();
  file.features.hash_bits = 9;
  const auto other = make_text_router(file);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::bad_model);
  EXPECT_THAT(other.error().detail, HasSubstr("256 numbers instead of 512"));
}

TEST(RouterFile, SavesAndLoads) {
  const auto path = std::filesystem::path(testing::TempDir()) /
                    ("router_file_test_" + std::to_string(getpid()) + ".router");
  ASSERT_TRUE(save_router_file(trained(), path));
  EXPECT_TRUE(load_router_file(path));
  EXPECT_EQ(save_router_file(trained(), path / "below" / "a file").error().code, Errc::storage);
  std::filesystem::remove(path);
  EXPECT_EQ(load_router_file(path).error().code, Errc::not_found);
  EXPECT_EQ(load_router_file(testing::TempDir()).error().code, Errc::not_found);
}

TEST(TrainRouter, RefusesWhatTeachesNothing) {
  auto few = examples();
  few.resize(kLeastExamples - 1);
  EXPECT_EQ(train_router(few, {}).error().code, Errc::bad_request);
  auto one_class = examples();
  for (Example& example : one_class) example.small_right = true;
  EXPECT_THAT(train_router(one_class, {}).error().detail, HasSubstr("only one class"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(train_router(examples(), {.stop = stop.get_token()}).error().code, Errc::cancelled);
}

}  // namespace
}  // namespace lichen::mechanisms
