// How many threads a pass is computed with: whatever has been fastest lately.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace lichen::model {

/// The threads of a pass meet at a barrier after every operation, so one that has lost its core to
/// somebody else (the server's own I/O, another program) holds up all others: on a busy machine
/// fewer threads are faster, and a tiny model may be fastest on one anyway. So nothing is assumed:
/// for passes of each size the time with each number of threads is kept current, the fastest is
/// used, and the others are tried again now and then, the less often the worse they were.
///
/// Not thread-safe; cannot fail.
class ThreadChoice {
 public:
  using Clock = std::chrono::steady_clock;

  /// The choices are 1, 2, 4, ... and `max_threads`.
  explicit ThreadChoice(int max_threads);

  /// Always `threads` from now on.
  void fix(int threads);
  /// Threads for a pass over `tokens` that begins now. To be followed by `took`.
  int choose(int tokens, Clock::time_point now);
  /// How long that pass took.
  void took(std::chrono::duration<double> time);
  /// The fastest for such a pass by what is known.
  int fastest(int tokens) const;

  /// Seconds per token, of each size's choices; 0: never tried.
  using Times = std::vector<std::vector<double>>;
  Times times() const;
  /// Goes by what another one knew, as if it had been found out at `now`. False, and nothing
  /// changes, where that had other choices or where they are no times.
  bool recall(const Times& times, Clock::time_point now);

 private:
  struct Option {
    double seconds_per_token = 0;  // a moving average; 0: never tried
    Clock::time_point tried = {};
    std::chrono::duration<double> patience{0};  // until it is tried again
  };
  /// Passes of 1, 2-3, 4-7, ... tokens: alike enough to compare times per token.
  using Options = std::vector<Option>;
  static constexpr std::size_t kSizes = 10;
  static std::size_t size_class(int tokens);
  std::size_t best(const Options& options) const;
  static std::chrono::duration<double> patience(double value, double winner, int tokens);

  std::vector<int> threads_;  // one of them where fixed
  std::array<Options, kSizes> sizes_;
  std::size_t size_ = 0;  // of the pass in progress
  std::size_t option_ = 0;
  int tokens_ = 1;
  bool stale_ = false;  // what is known of the option is old
};

}  // namespace lichen::model
