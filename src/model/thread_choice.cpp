#include "model/thread_choice.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace lichen::model {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kFirstPatience{0.05};
constexpr Seconds kLastPatience{4};

/// Weight of the newest time. Slow passes are believed sooner than fast ones: the harm is larger.
constexpr double kSlower = 0.5;
constexpr double kFaster = 0.3;

/// Share of the time that trying what is not the fastest may cost.
constexpr double kPriceOfTrying = 0.005;

/// A thread more must be worth it: others have use for the core.
constexpr double kWorthIt = 0.95;

}  // namespace

ThreadChoice::ThreadChoice(int max_threads) {
  for (int threads = 1; threads < max_threads; threads *= 2) threads_.push_back(threads);
  threads_.push_back(std::max(1, max_threads));
  for (Options& options : sizes_) options.resize(threads_.size());
}

void ThreadChoice::fix(int threads) {
  threads_ = {std::max(1, threads)};
  for (Options& options : sizes_) options.assign(1, {});
}

std::size_t ThreadChoice::size_class(int tokens) {
  const auto width = static_cast<std::size_t>(std::bit_width(static_cast<unsigned>(tokens)));
  return std::min(kSizes - 1, width == 0 ? 0 : width - 1);
}

std::size_t ThreadChoice::best(const Options& options) const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < options.size(); ++i) {
    if (options[i].seconds_per_token < kWorthIt * options[best].seconds_per_token) best = i;
  }
  return best;
}

int ThreadChoice::fastest(int tokens) const { return threads_[best(sizes_[size_class(tokens)])]; }

int ThreadChoice::choose(int tokens, Clock::time_point now) {
  tokens_ = std::max(1, tokens);
  size_ = size_class(tokens_);
  Options& options = sizes_[size_];
  option_ = best(options);
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (i == option_ && options[i].seconds_per_token > 0) continue;
    if (options[i].seconds_per_token > 0 && now - options[i].tried < options[i].patience) continue;
    option_ = i;
    break;
  }
  stale_ = now - options[option_].tried > kFirstPatience;
  options[option_].tried = now;
  return threads_[option_];
}

void ThreadChoice::took(Seconds time) {
  Options& options = sizes_[size_];
  Option& option = options[option_];
  const double value = time.count() / tokens_;
  if (option.seconds_per_token == 0 || stale_) {
    option.seconds_per_token = value;
  } else {
    const double weight = value > option.seconds_per_token ? kSlower : kFaster;
    option.seconds_per_token += weight * (value - option.seconds_per_token);
  }
  option.patience = patience(value, options[best(options)].seconds_per_token, tokens_);
}

/// The more a pass takes than the fastest would, the longer until it is tried again.
Seconds ThreadChoice::patience(double value, double winner, int tokens) {
  return std::clamp(Seconds((value - winner) * tokens / kPriceOfTrying), kFirstPatience,
                    kLastPatience);
}

ThreadChoice::Times ThreadChoice::times() const {
  Times times;
  for (const Options& options : sizes_) {
    std::vector<double>& of_size = times.emplace_back();
    for (const Option& option : options) of_size.push_back(option.seconds_per_token);
  }
  return times;
}

bool ThreadChoice::recall(const Times& times, Clock::time_point now) {
  if (times.size() != kSizes) return false;
  for (const std::vector<double>& of_size : times) {
    if (of_size.size() != threads_.size()) return false;
    for (const double time : of_size) {
      if (!(time >= 0 && std::isfinite(time))) return false;
    }
  }
  for (std::size_t size = 0; size < kSizes; ++size) {
    Options& options = sizes_[size];
    for (std::size_t i = 0; i < options.size(); ++i) {
      options[i] = {.seconds_per_token = times[size][i], .tried = now};
    }
    const double winner = options[best(options)].seconds_per_token;
    for (Option& option : options) {
      option.patience = patience(option.seconds_per_token, winner, 1 << size);
    }
  }
  return true;
}

}  // namespace lichen::model
