#include "serving/spending.h"

#include <boost/json/serialize.hpp>

#include "base/document.h"

namespace lichen::serving {
namespace {

constexpr std::int64_t kBytesPerToken = 4;
constexpr std::int64_t kUnboundedAnswer = 1'024;  // tokens

std::int64_t tokens(std::size_t bytes) {
  return static_cast<std::int64_t>(bytes) / kBytesPerToken + 1;
}

/// Of all that somebody may be charged for.
std::size_t bytes(const Request& request) {
  std::size_t sum = base::prompt_bytes(request);
  for (const Message& message : request.messages) sum += message.reasoning.size();
  if (request.format.json_schema) {
    sum += boost::json::serialize(*request.format.json_schema).size();
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
