#include "cli/prompt.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace lichen::cli {
namespace {

std::string prompt_of(const std::string& given, const std::string& piped) {
  std::istringstream stream(piped);
  return read_prompt(given, &stream).value_or("none");
}

TEST(Prompt, IsTheArgumentOrWhatIsPipedIn) {
  EXPECT_EQ(read_prompt("hi", nullptr), "hi");
  EXPECT_EQ(prompt_of("", "piped\n"), "piped");
  EXPECT_EQ(prompt_of("-", "piped\r\n\n"), "piped");
}

TEST(Prompt, WhatIsPipedInStandsAfterTheArgument) {
  EXPECT_EQ(prompt_of("Summarize this:", "one\ntwo\n"), "Summarize this:\n\none\ntwo");
}

TEST(Prompt, AnEmptyOrClosedStdinAddsNothing) {
  EXPECT_EQ(prompt_of("hi", ""), "hi");
  std::istringstream closed("unread");
  closed.setstate(std::ios::badbit);
  EXPECT_EQ(read_prompt("hi", &closed), "hi");
}

TEST(Prompt, ThereMustBeOneOfUtf8) {
  EXPECT_EQ(read_prompt("", nullptr).error().code, Errc::bad_request);
  EXPECT_EQ(prompt_of("-", "\n"), "none");
  EXPECT_EQ(prompt_of("hi", "\xff"), "none");
}

TEST(Document, IsAFileOrWhatIsPipedIn) {
  std::istringstream piped("a\fb\n");
  EXPECT_EQ(read_document("-", piped), "a\fb\n");
  const auto file = std::filesystem::temp_directory_path() / "lichen_prompt_test.txt";
  std::ofstream(file) << "text\n";
  EXPECT_EQ(read_document(file.string(), piped), "text\n");
  std::ofstream(file) << "caf\xE9";
  EXPECT_EQ(read_document(file.string(), piped).error().detail,
            file.string() + ": the document is not UTF-8 at byte 3; it must be");
  std::filesystem::remove(file);
  EXPECT_EQ(read_document(file.string(), piped).error().code, Errc::not_found);
  EXPECT_EQ(read_document("-", piped).error().detail,
            "stdin: the document is empty; it must be text");
}

}  // namespace
}  // namespace lichen::cli
