// The jobs that large writes for a document which it does not see, one a line.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/turn.h"

namespace lichen::mechanisms {

/// A longer line is no job.
inline constexpr std::size_t kMostJobBytes = 500;

/// `text` for comparison: ASCII's capitals as small letters, white space as single blanks, without
/// marks at its end.
std::string folded(std::string_view text);

/// What a line holds of a job: without a list's mark ("- ", "2. ") in front of it. Empty where it
/// is none: blank, a heading (with a colon at its end), longer than kMostJobBytes.
std::string_view job_of(std::string_view line);

/// The jobs behind "more:", where that is how `text` begins; none of any other text.
std::vector<std::string> more_jobs(std::string_view text);
/// Whether `text`, of which more may come, begins so, or may yet turn out to.
bool may_ask_for_more(std::string_view text);

/// Sink of the turn in which large writes jobs: hands each on as soon as its line is complete, and
/// wants no more text once there are `most`, or nobody takes them any more.
class JobReader : public Sink {
 public:
  using Take = std::function<awaitable<bool>(std::string job)>;
  JobReader(std::size_t most, Take take) : most_(most), take_(std::move(take)) {}

  awaitable<bool> write(Piece piece) override;
  /// The rest, when large has ended: `text` is all that it wrote, streamed or not.
  awaitable<void> finish(std::string text);

  std::size_t jobs() const { return jobs_.size(); }
  /// No more jobs are wanted.
  bool full() const { return jobs_.size() == most_ || refused_; }

 private:
  awaitable<void> read(std::string_view line);

  const std::size_t most_;
  const Take take_;
  std::string line_;               // as far as it is written
  std::size_t bytes_ = 0;          // of the text that was streamed
  std::vector<std::string> jobs_;  // folded
  bool refused_ = false;
};

}  // namespace lichen::mechanisms
