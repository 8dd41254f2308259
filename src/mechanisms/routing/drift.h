// Whether answers are lost more often than calibration promised: a test by betting, over requests
// that large has answered in shadow.
//
// The hypothesis "the share of losses is at most `promised`" is bet against: after each request the
// capital is multiplied by 1 + bet (loss - promised). While the hypothesis holds the capital is not
// expected to grow, so it reaches 1 / delta with at most the probability delta, over all time
// (Ville's inequality; Waudby-Smith, Ramdas 2021, arXiv 2010.09686: grid-Kelly, bets from a grid
// with equal shares; Shafer 2021, JRSS-A 184). A capital that began long ago has lost most of
// itself in good times, so a part is set aside for each beginning yet to come, 1 / (t (t + 1)) of
// it for the t-th: an alarm comes about as soon after a late change as after an early one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

namespace lichen::mechanisms {

/// Not safe for use by several threads at a time.
class BettingTest {
 public:
  /// `promised`: over 0 and under 1; `delta`: probability of a false alarm, over 0 and under 1.
  BettingTest(double promised, double delta);

  void observe(bool lost);
  /// Stays once it is true.
  bool alarmed() const { return alarmed_; }
  double capital() const;
  std::int64_t observed() const { return observed_; }
  std::int64_t losses() const { return losses_; }

 private:
  static constexpr std::size_t kBets = 16;

  double bet(std::size_t i) const;

  const double promised_;
  const double delta_;
  std::array<double, kBets> started_{};  // capital of what has begun, for each bet
  std::int64_t observed_ = 0;
  std::int64_t losses_ = 0;
  bool alarmed_ = false;
};

struct DriftOptions {
  std::string name = {};         // for the log: what is watched
  double share = 0;              // of all requests that are looked at, 0 to 1
  double delta = 0;              // probability of a false alarm
  double promised = 0;           // share of all requests that are lost at most, over 0 and under 1
  std::string calibration = {};  // which one promised it: the hash of its data
  std::filesystem::path record = {};  // keeps an alarm over restarts; empty: kept nowhere
};

/// Where the alarms of a calibration that is in this file are kept: beside it, with ".drift" at the
/// end.
std::filesystem::path alarm_record(std::filesystem::path file);
/// Whether `record` keeps an alarm of that calibration.
bool keeps_alarm(const std::filesystem::path& record, std::string_view calibration);

/// What a mechanism with a bound on its risk holds: picks the requests to look at, and says whether
/// the bound may still be relied on. An alarm is logged once and written into `record`, so that it
/// lasts until there is a calibration by other data. Safe to use from any thread.
class DriftWatch {
 public:
  /// An alarm that `record` keeps of the same calibration stands at once, and is logged.
  explicit DriftWatch(DriftOptions options);

  /// Whether this request is one to look at; by its receipt's id, so by lot and repeatable.
  bool looks_at(std::string_view receipt_id) const;
  /// What became of such a request. Not a loss: large answered, or small as well as large.
  void observe(bool lost);
  bool alarmed() const { return alarmed_.load(std::memory_order_acquire); }

  struct State {
    std::int64_t observed = 0;
    std::int64_t losses = 0;
    double capital = 1;  // 1 / delta is an alarm
    bool alarmed = false;
  };
  State state() const;
  const DriftOptions& options() const { return options_; }

 private:
  const DriftOptions options_;
  mutable std::mutex mutex_;
  BettingTest test_;  // guarded by mutex_
  std::atomic<bool> alarmed_ = false;
};

}  // namespace lichen::mechanisms
