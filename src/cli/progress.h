// The progress bar: on stderr, on a terminal only, and only for what takes over two seconds.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "cli/terminal.h"
#include "lichen/turn.h"

namespace lichen::cli {

/// Safe to use from any thread. A thread of its own draws, so that the bar also appears while the
/// work has nothing to say for long. Takes its line away when it goes.
class ProgressBar {
 public:
  explicit ProgressBar(Terminal terminal);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `fraction`: how much of the whole is done, 0 to 1.
  void update(double fraction, std::string_view label);
  /// Takes the line away until the next update.
  void clear();

 private:
  void draw();

  const Terminal terminal_;
  const Clock::time_point started_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable_any wake_;
  // Guarded by mutex_
  double fraction_ = 0;
  std::string label_;  // empty: nothing is to be shown
  bool visible_ = false;

  std::jthread thread_;  // last: it uses the above
};

/// Whether work that has done `fraction` in `elapsed` seconds takes over two seconds: by its rate
/// so far, once that can be told.
bool takes_long(double elapsed, double fraction);

/// "label [####----]  42 %  0:12 left", at most `width` columns.
std::string progress_line(double fraction, std::string_view label, double elapsed, int width);

}  // namespace lichen::cli
