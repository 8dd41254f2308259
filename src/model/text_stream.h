// Token pieces in, text that may be shown out: whole UTF-8 characters only, nothing of a stop
// string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lichen::model {

/// Holds back the end of what was pushed while it may be part of a character or of a stop string,
/// so at most as many bytes as the longest stop string, and three more. What `push` and `finish`
/// return, put together, is the answer's text: valid UTF-8, the same however the bytes were split.
/// Not thread-safe; cannot fail.
class TextStream {
 public:
  /// The text ends before the stop string that is complete first (of several that are complete at
  /// the same byte, before the longest). Empty stop strings mean nothing.
  explicit TextStream(const std::vector<std::string>& stops = {});

  /// Takes the bytes of the next token and returns what is safe to show now. Linear in the bytes
  /// given, for each stop string; the length of the answer so far does not matter.
  std::string push(std::string_view bytes);
  /// What was held back, when no more tokens follow; an unfinished character becomes U+FFFD.
  std::string finish();
  /// A stop string has been found: the text is complete, and later bytes are ignored.
  bool stopped() const { return !stop_.empty(); }
  /// It; empty: none.
  const std::string& stop() const { return stop_; }
  /// How many of the bytes given are held back.
  std::size_t held() const { return held_.size(); }

 private:
  /// Looks for one string in a stream of bytes (Knuth, Morris, Pratt).
  class Stop {
   public:
    explicit Stop(std::string text);
    void feed(char byte);
    const std::string& text() const { return text_; }
    /// How many of the last bytes fed are a beginning of the string; all of it: found.
    std::size_t matched() const { return matched_; }

   private:
    std::string text_;
    std::vector<std::size_t> shorter_;  // [n]: the next shorter match when n bytes matched
    std::size_t matched_ = 0;
  };

  std::vector<Stop> stops_;
  std::string held_;  // received and not yet returned
  std::string stop_;
};

}  // namespace lichen::model
