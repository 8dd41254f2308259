// Server-sent events from a stream of bytes (WHATWG HTML, section 9.2.6), split anywhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "lichen/result.h"

namespace lichen::model {

struct SseEvent {
  std::string_view type;  // "" when the stream does not name it
  std::string_view data;  // the data lines, joined by line feeds
};

/// Feed bytes, then take events until there are none:
///
///   parser.feed(bytes);
///   while (auto event = parser.next()) ...   // Result<std::optional<SseEvent>>
///
/// Bytes are copied only where an event is split between two feeds or has several data lines. Line
/// ends may be LF, CR or CRLF; a byte-order mark, comments, unknown fields and events without data
/// are passed over. An event cut off by the end of the stream is not one.
class SseParser {
 public:
  /// An event longer than `max_event_bytes` is an `upstream` error.
  explicit SseParser(std::size_t max_event_bytes = 8u << 20) : max_event_bytes_(max_event_bytes) {}
  SseParser(const SseParser&) = delete;
  SseParser& operator=(const SseParser&) = delete;

  /// `bytes` must stay valid until `next` has returned nothing; only then feed again.
  void feed(std::string_view bytes);
  /// The next event; its views are valid until the next call of either function.
  Result<std::optional<SseEvent>> next();

 private:
  /// Moves `scan_` past the next line; false when it has not ended yet.
  bool pass_line(bool& empty);
  std::optional<SseEvent> read_event(std::string_view block);

  const std::size_t max_event_bytes_;
  std::string kept_;        // the beginning of an event whose end has not come
  std::string_view input_;  // what is being parsed: the fed bytes, or kept_
  std::size_t event_ = 0;   // where in input_ the present event begins
  std::size_t line_ = 0;    // and its present line
  std::size_t scan_ = 0;    // up to here no end of that line was found
  bool skip_lf_ = false;    // the line before ended in CR: an LF that follows belongs to it
  bool at_start_ = true;    // a byte-order mark may come
  std::string joined_;      // data of several lines
};

}  // namespace lichen::model
