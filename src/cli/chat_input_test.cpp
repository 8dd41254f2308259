#include "cli/chat_input.h"

#include <gtest/gtest.h>

namespace lichen::cli {
namespace {

void expect(std::string_view line, ChatInput::Kind kind, std::string_view argument = "") {
  const auto input = read_chat_input(line);
  EXPECT_EQ(input.kind, kind) << line;
  EXPECT_EQ(input.argument, argument) << line;
}

TEST(ChatInput, ReadsLines) {
  expect("", ChatInput::nothing);
  expect(" \t\r", ChatInput::nothing);
  expect("  hello there \r", ChatInput::text, "hello there");
  expect("/exit", ChatInput::exit);
  expect(" /quit ", ChatInput::exit);
  expect("/reset", ChatInput::reset);
  expect("/receipt", ChatInput::receipt);
  expect("/help", ChatInput::help);
  expect("/plan cascade", ChatInput::plan, "cascade");
  expect("/plan   cascade  ", ChatInput::plan, "cascade");
  expect("/plan", ChatInput::plan, "");
  expect("/plans", ChatInput::unknown, "/plans");
  expect("//etc/hosts?", ChatInput::text, "/etc/hosts?");
  expect("/", ChatInput::unknown, "/");
}

}  // namespace
}  // namespace lichen::cli
