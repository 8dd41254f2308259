// What an endpoint says, event by event.
#include <string>

#include "base/utf8.h"
#include "fuzz/input.h"
#include "model/remote/openai_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lichen::model;
  const ErrorContext context{.model = "m"};
  OpenAiReply reply(context);
  std::string_view text = lichen::fuzz::text_of(data, size);
  std::string shown;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto delta = reply.add(text.substr(0, end));
    if (!delta) return 0;
    shown += delta->text;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  shown += reply.flush().text;
  const lichen::Answer answer = reply.take();
  lichen::fuzz::check(answer.text == shown, "what was shown is the answer");
  lichen::fuzz::check(lichen::base::valid_utf8(shown), "what is shown is UTF-8");
  return 0;
}
