#include "mechanisms/routing/drift.h"

#include <spdlog/spdlog.h>

#include <cassert>
#include <cmath>
#include <fstream>
#include <numeric>
#include <utility>

#include "mechanisms/routing/hashing.h"

namespace lichen::mechanisms {

BettingTest::BettingTest(double promised, double delta) : promised_(promised), delta_(delta) {
  assert(promised > 0 && promised < 1 && delta > 0 && delta < 1);
}

double BettingTest::bet(std::size_t i) const {
  // A bet of 1 / promised would stake all on every request being lost.
  return static_cast<double>(i + 1) / (kBets + 1) / promised_;
}

void BettingTest::observe(bool lost) {
  if (alarmed_) return;
  ++observed_;
  losses_ += lost;
  const auto t = static_cast<double>(observed_);
  for (std::size_t i = 0; i < kBets; ++i) {
    const double gain = 1 + bet(i) * ((lost ? 1.0 : 0.0) - promised_);
    started_[i] = (started_[i] + 1 / (t * (t + 1))) * gain;
  }
  alarmed_ = capital() >= 1 / delta_;
}

double BettingTest::capital() const {
  const double set_aside = 1 / (static_cast<double>(observed_) + 1);
  return std::reduce(started_.begin(), started_.end()) / kBets + set_aside;
}

std::filesystem::path alarm_record(std::filesystem::path file) { return file += ".drift"; }

bool keeps_alarm(const std::filesystem::path& record, std::string_view calibration) {
  if (record.empty() || calibration.empty()) return false;
  std::ifstream stream(record);
  std::string line;
  std::getline(stream, line);
  return line == calibration;
}

DriftWatch::DriftWatch(DriftOptions options)
    : options_(std::move(options)), test_(options_.promised, options_.delta) {
  if (!keeps_alarm(options_.record, options_.calibration)) return;
  alarmed_ = true;
  spdlog::warn(
      "{}: there has been a drift alarm since its calibration, so large answers everything until "
      "it is calibrated on newer data ({} keeps the alarm)",
      options_.name, options_.record.string());
}

bool DriftWatch::looks_at(std::string_view receipt_id) const {
  return unit_interval(mixed(hash_of(receipt_id))) < options_.share;
}

void DriftWatch::observe(bool lost) {
  std::lock_guard lock(mutex_);
  if (alarmed()) return;
  test_.observe(lost);
  if (!test_.alarmed()) return;
  spdlog::warn(
      "{}: drift alarm: small lost {} of {} requests that were looked at, where calibration "
      "promised at most {:.3g}; large answers everything until it is calibrated on newer data",
      options_.name, test_.losses(), test_.observed(), options_.promised);
  if (!options_.record.empty()) {
    std::ofstream stream(options_.record);
    stream << options_.calibration << '\n';
    stream.close();
    if (!stream) {
      spdlog::warn("{}: cannot be written, so the alarm will not outlast this process",
                   options_.record.string());
    }
  }
  alarmed_.store(true, std::memory_order_release);
}

DriftWatch::State DriftWatch::state() const {
  std::lock_guard lock(mutex_);
  return {.observed = test_.observed(),
          .losses = test_.losses(),
          .capital = test_.capital(),
          .alarmed = alarmed()};
}

}  // namespace lichen::mechanisms
