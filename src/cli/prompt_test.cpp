#include "cli/prompt.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace lichen::cli
