#include "model/remote/sse_parser.h"

#include <algorithm>

namespace lichen::model {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Where the line ends that `at` is in: at an LF or a CR, or with the text. Looked for in steps, so
/// that lines with one of them alone are not searched to the text's end for the other.
std::size_t end_of_line(std::string_view text, std::size_t at) {
  constexpr std::size_t kStep = 256;
  for (; at < text.size(); at += kStep) {
    const std::string_view part = text.substr(at, kStep);
    const std::size_t lf = std::min(part.find('\n'), part.size());
    const std::size_t end = std::min(part.substr(0, lf).find('\r'), lf);
    if (end < part.size()) return at + end;
  }
  return text.size();
}

}  // namespace

void SseParser::feed(std::string_view bytes) {
  if (kept_.empty()) {
    input_ = bytes;
  } else {
    kept_.append(bytes);
    input_ = kept_;
  }
}

bool SseParser::pass_line(bool& empty) {
  if (skip_lf_ && line_ < input_.size()) {
    skip_lf_ = false;
    if (input_[line_] == '\n') {
      const bool between = event_ == line_;
      ++line_;
      if (between) event_ = line_;
      scan_ = line_;
    }
  }
  scan_ = end_of_line(input_, scan_);
  if (scan_ == input_.size()) return false;
  empty = scan_ == line_;
  skip_lf_ = input_[scan_] == '\r';
  line_ = ++scan_;
  return true;
}

Result<std::optional<SseEvent>> SseParser::next() {
  if (at_start_) {
    if (input_.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(input_)) {
      if (kept_.empty()) kept_ = input_;
      input_ = kept_;
      return std::optional<SseEvent>{};
    }
    if (input_.starts_with(kByteOrderMark)) event_ = line_ = scan_ = kByteOrderMark.size();
    at_start_ = false;
  }
  bool empty = false;
  while (pass_line(empty)) {
    if (line_ - event_ > max_event_bytes_) break;
    if (!empty) continue;
    const auto block = input_.substr(event_, line_ - event_);
    event_ = line_;
    if (auto event = read_event(block)) return event;
  }
  if (input_.size() - event_ > max_event_bytes_) {
    return fail(Errc::upstream, "the endpoint sent an event of more than " +
                                    std::to_string(max_event_bytes_) + " bytes");
  }
  // Keep the unfinished event: everything before it is done with.
  if (kept_.empty()) {
    kept_.assign(input_.substr(event_));
  } else {
    kept_.erase(0, event_);
  }
  input_ = kept_;
  line_ -= event_;
  scan_ -= event_;
  event_ = 0;
  return std::optional<SseEvent>{};
}

std::optional<SseEvent> SseParser::read_event(std::string_view block) {
  SseEvent event;
  int lines = 0;
  while (!block.empty()) {
    const auto end = end_of_line(block, 0);
    const auto line = block.substr(0, end);
    // An LF after a CR begins what looks like one more, empty line: harmless within a block.
    block.remove_prefix(end + 1);
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "event") event.type = value;
    if (name != "data") continue;
    if (++lines == 1) {
      event.data = value;
      continue;
    }
    if (lines == 2) joined_.assign(event.data);
    joined_.append(1, '\n').append(value);
    event.data = joined_;
  }
  if (lines == 0) return std::nullopt;
  return event;
}

}  // namespace lichen::model
