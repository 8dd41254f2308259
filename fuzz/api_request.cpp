// A body as each of the server's APIs reads it.
#include <boost/json/object.hpp>

#include "fuzz/input.h"
#include "serving/anthropic_request.h"
#include "serving/openai_request.h"
#include "serving/responses_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lichen::serving;
  const auto body = parse_body(lichen::fuzz::text_of(data, size));
  if (!body || !body->is_object()) return 0;
  const auto& object = body->get_object();
  constexpr RequestLimits kLimits{.max_messages = 16, .max_tokens = 1'000};
  for (const auto parse :
       {parse_chat, parse_completion, parse_response, parse_messages, parse_count_tokens}) {
    const auto call = parse(object, kLimits);
    if (call) {
      lichen::fuzz::check(!call->requests.empty(), "a call has a request");
    } else {
      lichen::fuzz::check(!call.error().error.detail.empty(), "an error says what is wrong");
    }
  }
  (void)parse_embedding(object);
  return 0;
}
