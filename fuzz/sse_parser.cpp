// A stream of server-sent events is the same however it was cut.
#include "model/remote/sse_parser.h"

#include <string>
#include <vector>

#include "fuzz/input.h"

namespace {

/// All events, or what came before an error; each on a line.
class Events {
 public:
  void feed(std::string_view bytes) {
    if (failed_) return;
    parser_.feed(bytes);
    for (;;) {
      const auto event = parser_.next();
      failed_ = !event.has_value();
      if (failed_ || !*event) return;
      text_.append((*event)->type).append("=").append((*event)->data).append("\n");
    }
  }
  const std::string& text() const { return text_; }

 private:
  lichen::model::SseParser parser_{256};
  std::string text_;
  bool failed_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = lichen::fuzz::text_of(data, size);
  Events whole, pieces;
  whole.feed(text);
  lichen::fuzz::in_pieces(text, [&pieces](std::string_view piece) { pieces.feed(piece); });
  lichen::fuzz::check(whole.text() == pieces.text(), "events do not depend on the cuts");
  return 0;
}
