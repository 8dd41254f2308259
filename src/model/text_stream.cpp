#include "model/text_stream.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace lichen::model {

TextStream::Stop::Stop(std::string text) : text_(std::move(text)), shorter_(text_.size(), 0) {
  for (std::size_t n = 1, match = 0; n + 1 < text_.size(); ++n) {
    while (match > 0 && text_[n] != text_[match]) match = shorter_[match];
    if (text_[n] == text_[match]) ++match;
    shorter_[n + 1] = match;
  }
}

void TextStream::Stop::feed(char byte) {
  while (matched_ > 0 && text_[matched_] != byte) matched_ = shorter_[matched_];
  if (text_[matched_] == byte) ++matched_;
}

TextStream::TextStream(const std::vector<std::string>& stops) {
  for (const std::string& stop : stops) {
    if (!stop.empty()) stops_.emplace_back(stop);
  }
}

std::string TextStream::push(std::string_view bytes) {
  if (stopped()) return {};
  std::size_t pending = 0;  // bytes at the end of held_ that may begin a stop string
  for (const char byte : bytes) {
    held_ += byte;
    pending = 0;
    std::string_view found;
    for (Stop& stop : stops_) {
      stop.feed(byte);
      const bool whole = stop.matched() == stop.text().size();
      if (whole && stop.text().size() > found.size()) found = stop.text();
      pending = std::max(pending, stop.matched());
    }
    if (!found.empty()) {
      stop_ = found;
      held_.resize(held_.size() - found.size());
      return base::replace_invalid_utf8(std::exchange(held_, {}));
    }
  }
  if (bytes.empty()) return {};
  const std::string_view safe = std::string_view(held_).substr(0, held_.size() - pending);
  const std::size_t whole = base::complete_utf8_prefix(safe);
  std::string text = base::replace_invalid_utf8(safe.substr(0, whole));
  held_.erase(0, whole);
  return text;
}

std::string TextStream::finish() { return base::replace_invalid_utf8(std::exchange(held_, {})); }

}  // namespace lichen::model
