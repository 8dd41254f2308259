#include "mechanisms/routing/question.h"

#include <ranges>

namespace lichen::mechanisms {

std::string_view question(const Request& request) {
  if (request.prompt) return *request.prompt;
  for (const Message& message : request.messages | std::views::reverse) {
    if (message.role == "user") return message.content;
  }
  return request.messages.empty() ? std::string_view() : request.messages.back().content;
}

}  // namespace lichen::mechanisms
