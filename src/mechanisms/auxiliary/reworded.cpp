#include "mechanisms/auxiliary/reworded.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace lichen::mechanisms {

Result<Request> reworded(Request request, std::string text, std::string_view mechanism) {
  if (request.prompt || request.messages.empty()) {
    return fail(Errc::unsupported,
                "`" + std::string(mechanism) +
                    "` puts a prompt around the last question of a chat, and a raw prompt has "
                    "none: send messages");
  }
  const auto from_back = request.messages | std::views::reverse;
  const auto last_of_user = std::ranges::find(from_back, "user", &Message::role);
  Message& asked = last_of_user == from_back.end() ? request.messages.back() : *last_of_user;
  asked.content = std::move(text);
  return request;
}

Request plain_request(const Request& request) {
  Request plain{.messages = request.messages, .sampling = request.sampling};
  plain.prompt = request.prompt;
  plain.document = request.document;
  plain.sampling.logit_bias.clear();
  return plain;
}

}  // namespace lichen::mechanisms
