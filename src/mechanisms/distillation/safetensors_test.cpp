#include "mechanisms/distillation/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

SafetensorsHeader two_arrays() {
  return {.metadata = {{"format", "test"}},
          .arrays = {{"ends", "U64", {3}}, {"rows", "F16", {2, 5}}}};
}

/// Of a header with this JSON, in a file of `file_size` bytes.
std::string error_of(const std::string& json, std::uint64_t file_size = 1'000) {
  const auto read = read_header(json, file_size);
  return read ? "none" : read.error().detail;
}

TEST(Safetensors, AreReadAsWritten) {
  SafetensorsHeader header = two_arrays();
  const std::string start = write_header(header);
  EXPECT_EQ(start.size() % 64, 0u);
  const std::uint64_t file_size = start.size() + 24 + 20;
  const auto size = header_size(start, file_size);
  ASSERT_TRUE(size) << size.error().detail;
  EXPECT_EQ(*size, start.size() - 8);
  const auto read = read_header(start.substr(8), file_size);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->metadata, header.metadata);
  ASSERT_NE(read->find("rows"), nullptr);
  EXPECT_EQ(read->find("rows")->shape, (std::vector<std::uint64_t>{2, 5}));
  EXPECT_EQ(read->find("rows")->begin, start.size() + 24);
  EXPECT_EQ(read->find("rows")->begin, header.find("rows")->begin);
  EXPECT_EQ(read->find("other"), nullptr);
}

TEST(Safetensors, TruncatedFilesAreToldApart) {
  SafetensorsHeader header = two_arrays();
  const std::string start = write_header(header);
  EXPECT_FALSE(header_size(start.substr(0, 7), 7));
  EXPECT_FALSE(header_size(start, start.size() - 1));
  EXPECT_FALSE(header_size(std::string(8, '\xff'), 1'000));
  EXPECT_THAT(error_of(start.substr(8), start.size() + 43), HasSubstr("truncated"));
}

TEST(Safetensors, SaysWhatIsWrongWithAnArray) {
  EXPECT_THAT(error_of("nothing"), HasSubstr("no JSON"));
  EXPECT_THAT(error_of(R"({"a": {"dtype": "U8", "shape": [4]}})"), HasSubstr("no place"));
  EXPECT_THAT(error_of(R"({"a": {"dtype": "I4", "shape": [4], "data_offsets": [0, 4]}})"),
              HasSubstr("unknown type I4"));
  EXPECT_THAT(error_of(R"({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 5]}})"),
              HasSubstr("another size"));
  EXPECT_THAT(error_of(R"({"a": {"dtype": "U64", "shape": [4294967296, 4294967296],)"
                       R"( "data_offsets": [0, 0]}})"),
              HasSubstr("another size"))
      << "whose product does not fit";
  EXPECT_THAT(error_of(R"({"a": {"dtype": "U8", "shape": [-1], "data_offsets": [0, 1]}})"),
              HasSubstr("no shape"));
}

}  // namespace
}  // namespace lichen::mechanisms
