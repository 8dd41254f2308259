#include "serving/spending.h"

namespace lichen::serving {
namespace {

constexpr std::int64_t kBytesPerToken = 4;
constexpr std::int64_t kUnboundedAnswer = 1'024;  // tokens

std::int64_t tokens(std::size_t bytes) {
  return static_cast<std::int64_t>(bytes) / kBytesPerToken + 1;
}

std::size_t bytes(const Request& request) {
  std::size_t sum = request.document ? request.document->size() : 0;
  if (request.prompt) sum += request.prompt->size();
  for (const Message& message : request.messages) {
    sum += message.content.size() + message.reasoning.size();
  }
  return sum;
}

}  // namespace

Expected expected_use(const std::vector<Request>& requests) {
  Expected sum;
  for (const Request& request : requests) {
    sum.tokens_in += tokens(bytes(request));
    sum.tokens_out += request.max_tokens ? *request.max_tokens : kUnboundedAnswer;
  }
  return sum;
}

Expected expected_use(const std::vector<std::string>& texts) {
  Expected sum;
  for (const std::string& text : texts) sum.tokens_in += tokens(text.size());
  return sum;
}

}  // namespace lichen::serving
