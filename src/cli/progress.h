// The progress bar: on stderr, on a terminal only, and only for what takes over two seconds.
#pragma once

#include <string>
#include <string_view>

#include "cli/terminal.h"
#include "lichen/turn.h"

namespace lichen::cli {

/// One thread at a time. Takes its line away when it goes.
class ProgressBar {
 public:
  explicit ProgressBar(Terminal terminal) : terminal_(terminal) {}
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `fraction`: how much of the whole is done, 0 to 1.
  void update(double fraction, std::string_view label);
  void clear();

 private:
  const Terminal terminal_;
  const Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_ = {};
  bool visible_ = false;
};

/// Whether work that has done `fraction` in `elapsed` seconds takes over two seconds: by its rate
/// so far, once that can be told.
bool takes_long(double elapsed, double fraction);

/// "label [####----]  42 %  0:12 left", at most `width` columns.
std::string progress_line(double fraction, std::string_view label, double elapsed, int width);

}  // namespace lichen::cli
