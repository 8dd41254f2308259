// What a line means in a chat.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lichen::cli {

struct ChatInput {
  enum Kind : std::uint8_t { nothing, text, exit, reset, receipt, help, plan, unknown };
  Kind kind = nothing;
  std::string argument = {};  // the message, the plan's name, or the unknown command
};

ChatInput read_chat_input(std::string_view line);

}  // namespace lichen::cli
