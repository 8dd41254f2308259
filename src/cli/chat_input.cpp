#include "cli/chat_input.h"

#include <utility>

namespace lichen::cli {

ChatInput read_chat_input(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {ChatInput::nothing, ""};
  line = line.substr(first, line.find_last_not_of(kBlank) - first + 1);
  if (!line.starts_with('/')) return {ChatInput::text, std::string(line)};
  if (line.starts_with("//")) return {ChatInput::text, std::string(line.substr(1))};

  const auto space = line.find_first_of(kBlank);
  const auto command = line.substr(0, space);
  std::string argument;
  if (space != std::string_view::npos) {
    argument = line.substr(line.find_first_not_of(kBlank, space));
  }
  if (command == "/exit" || command == "/quit") return {ChatInput::exit, ""};
  if (command == "/reset") return {ChatInput::reset, ""};
  if (command == "/receipt") return {ChatInput::receipt, ""};
  if (command == "/help") return {ChatInput::help, ""};
  if (command == "/plan") return {ChatInput::plan, std::move(argument)};
  return {ChatInput::unknown, std::string(command)};
}

}  // namespace lichen::cli
