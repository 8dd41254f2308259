#include "model/weights_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "model/weights_file.h"

namespace lichen::model {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const gguf::TensorType& kF32 = gguf::kTensorTypes[0];
const gguf::TensorType& kQ8 = gguf::kTensorTypes[8];

class WeightsWriterTest : public ::testing::Test {
 protected:
  WeightsWriterTest()
      : folder_(fs::path(::testing::TempDir()) / ("writer-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~WeightsWriterTest() override { fs::remove_all(folder_); }

  fs::path at(const std::string& name) const { return folder_ / name; }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_))
      names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }

  static gguf::Metadata metadata() {
    gguf::Metadata all;
    all.set_text("general.architecture", "llama");
    all.set_u32("llama.block_count", 1);
    return all;
  }
  static std::vector<std::byte> bytes(std::size_t count, int first) {
    std::vector<std::byte> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = static_cast<std::byte>(first + i);
    return all;
  }

 private:
  const fs::path folder_;
};

TEST_F(WeightsWriterTest, WhatIsWrittenIsRead) {
  const std::vector<TensorToWrite> tensors = {{"a.weight", &kF32, {3, 1, 1, 1}},
                                              {"b.weight", &kQ8, {64, 2, 1, 3}}};
  const auto a = bytes(12, 1), b = bytes(64 * 2 * 3 / 32 * 34, 50);
  auto writer = WeightsWriter::create(at("m.gguf"), metadata(), tensors);
  ASSERT_TRUE(writer) << writer.error().detail;
  EXPECT_FALSE(fs::exists(at("m.gguf"))) << "not before it is whole";
  {
    std::jthread other([&] {
      EXPECT_TRUE(writer->write(1, 100, std::span(b).subspan(100)));
      EXPECT_TRUE(writer->write(0, 0, a));
    });
    EXPECT_TRUE(writer->write(1, 0, std::span(b).first(100)));
  }
  ASSERT_TRUE(writer->finish());
  EXPECT_THAT(files(), testing::ElementsAre("m.gguf"));
  EXPECT_EQ(fs::file_size(at("m.gguf")), writer->bytes());

  const auto file = WeightsFile::open(at("m.gguf"));
  ASSERT_TRUE(file) << file.error().detail;
  EXPECT_EQ(file->info().block_count, 1U);
  ASSERT_EQ(file->tensors().size(), 2U);
  const auto* tensor = file->find("b.weight");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->type, &kQ8);
  EXPECT_EQ(shape_text(*tensor), "[64 x 2 x 1 x 3]");
  EXPECT_EQ(shape_text(*file->find("a.weight")), "[3]");
  EXPECT_EQ(file->find("c.weight"), nullptr);
  std::vector<std::byte> got(b.size() - 10);
  ASSERT_TRUE(file->read(*tensor, 10, got));
  EXPECT_TRUE(std::equal(got.begin(), got.end(), b.begin() + 10));
}

TEST_F(WeightsWriterTest, KeepsToTheAlignmentOfItsMetadata) {
  auto all = metadata();
  all.set_u32("general.alignment", 256);
  auto writer = WeightsWriter::create(at("m.gguf"), all,
                                      {{"a", &kF32, {1, 1, 1, 1}}, {"b", &kF32, {2, 1, 1, 1}}});
  ASSERT_TRUE(writer->write(1, 0, bytes(8, 0)));
  ASSERT_TRUE(writer->finish());
  const auto file = WeightsFile::open(at("m.gguf"));
  ASSERT_TRUE(file) << file.error().detail;
  EXPECT_EQ(file->tensors()[0].offset % 256, 0U);
  EXPECT_EQ(file->tensors()[1].offset, file->tensors()[0].offset + 256);
  EXPECT_EQ(fs::file_size(at("m.gguf")) % 256, 0U);
}

TEST_F(WeightsWriterTest, TakesItsFileAlongWhenItIsNotFinished) {
  std::ofstream(at("m.gguf")) << "older";
  {
    auto writer = WeightsWriter::create(at("m.gguf"), metadata(), {{"a", &kF32, {1, 1, 1, 1}}});
    ASSERT_TRUE(writer);
    EXPECT_EQ(files().size(), 2U);
  }
  EXPECT_THAT(files(), testing::ElementsAre("m.gguf"));
  EXPECT_EQ(fs::file_size(at("m.gguf")), 5U);
}

TEST_F(WeightsWriterTest, SaysWhereItCannotWrite) {
  const auto writer = WeightsWriter::create(at("no/m.gguf"), metadata(), {});
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, Errc::storage);
  EXPECT_THAT(writer.error().detail, HasSubstr("no/m.gguf: cannot be written: No such file"));
}

TEST_F(WeightsWriterTest, AFileThatIsCutShortWhileItIsReadIsAnError) {
  auto writer = WeightsWriter::create(at("m.gguf"), metadata(), {{"a", &kF32, {4'096, 1, 1, 1}}});
  ASSERT_TRUE(writer->finish());
  const auto file = WeightsFile::open(at("m.gguf"));
  ASSERT_TRUE(file);
  fs::resize_file(at("m.gguf"), 1'000);
  std::vector<std::byte> all(16'384);
  const auto read = file->read(file->tensors()[0], 0, all);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().detail, HasSubstr("m.gguf: ends at 1000: it was cut short"));
}

TEST_F(WeightsWriterTest, ReadsTheTensorsOfAllParts) {
  for (int part = 0; part < 2; ++part) {
    auto all = metadata();
    std::string header;  // u16, which no other key needs
    const auto number = [&](const char* key, int value) {
      gguf::append_text(header, key);
      gguf::append(header, std::uint32_t{2});
      gguf::append(header, static_cast<std::uint16_t>(value));
    };
    number("split.no", part);
    number("split.count", 2);
    const std::string name = "m-0000" + std::to_string(part + 1) + "-of-00002.gguf";
    auto writer = WeightsWriter::create(at("whole.gguf"), all,
                                        {{"t" + std::to_string(part), &kF32, {2, 1, 1, 1}}});
    ASSERT_TRUE(writer->write(0, 0, bytes(8, 10 * part)));
    ASSERT_TRUE(writer->finish());
    // The same with two keys more, and so much further on.
    std::ifstream stream(at("whole.gguf"), std::ios::binary);
    std::string file{std::istreambuf_iterator<char>(stream), {}};
    const std::string data = file.substr(file.size() - 32);
    std::string tensors;
    gguf::append_text(tensors, "t" + std::to_string(part));
    file.resize(file.find(tensors) + tensors.size() + 4 + 8 + 4 + 8);
    file.insert(24 + all.bytes().size(), header);
    file[16] = static_cast<char>(file[16] + 2);
    file.resize((file.size() + 31) / 32 * 32);
    std::ofstream(at(name), std::ios::binary) << file << data;
  }
  const auto file = WeightsFile::open(at("m-00001-of-00002.gguf"));
  ASSERT_TRUE(file) << file.error().detail;
  EXPECT_EQ(file->paths().size(), 2U);
  std::vector<std::byte> got(8);
  ASSERT_TRUE(file->read(*file->find("t1"), 0, got));
  EXPECT_EQ(got, bytes(8, 10));
  ASSERT_TRUE(file->read(*file->find("t0"), 0, got));
  EXPECT_EQ(got, bytes(8, 0));
}

TEST(Metadata, CarriesValuesOverByteForByte) {
  gguf::Metadata all;
  all.set_text("z.first", std::string("a\0b", 3));
  all.set_texts("tokens", {"", std::string("\0", 1), "x"});
  all.set_u32("general.alignment", 64);
  EXPECT_EQ(all.alignment(), 64U);
  all.set_text("gone.a", "1");
  all.set_text("gone.b", "2");
  all.set_text("gone", "3");
  all.erase_under("gone.");
  all.erase("gone");
  all.set_u32("general.alignment", 32);

  std::string file(gguf::kMagic);
  gguf::append(file, std::uint32_t{3});
  gguf::append(file, std::uint64_t{0});
  gguf::append(file, all.size());
  file += all.bytes();
  const auto header = gguf::read_header(file);
  ASSERT_TRUE(header) << header.error();
  EXPECT_EQ(header->values.size(), 3U);
  EXPECT_EQ(header->find("z.first")->bytes, std::string_view("a\0b", 3));
  EXPECT_EQ(gguf::strings(*header->find("tokens"))[1], std::string_view("\0", 1));
  EXPECT_EQ(gguf::Metadata::copy_of(*header).bytes(), all.bytes()) << "in the same order, too";
  EXPECT_EQ(gguf::Metadata().alignment(), gguf::kDefaultAlignment);
}

}  // namespace
}  // namespace lichen::model
