#include "cli/progress.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace lichen::cli {
namespace {

constexpr double kLong = 2.0;         // seconds
constexpr double kRateKnownAt = 0.3;  // seconds
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr std::string_view kClearLine = "\r\x1b[K";

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

/// The first `width` characters.
std::string_view cut(std::string_view text, std::size_t width) {
  std::size_t end = 0;
  for (std::size_t characters = 0; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (starts && characters++ == width) break;
  }
  return text.substr(0, end);
}

}  // namespace

bool takes_long(double elapsed, double fraction) {
  if (elapsed > kLong) return true;
  return elapsed >= kRateKnownAt && fraction > 0 && elapsed / fraction > kLong;
}

std::string progress_line(double fraction, std::string_view label, double elapsed, int width) {
  fraction = std::clamp(fraction, 0.0, 1.0);
  std::string left;
  if (fraction > 0) {
    const auto seconds = std::lround(std::min(elapsed / fraction - elapsed, 359'999.0));
    left = fmt::format("  {}:{:02} left", seconds / 60, seconds % 60);
  }
  const std::string tail = fmt::format(" {:3.0f} %{}", fraction * 100, left);
  // One column stays free: some terminals wrap when the last one is written.
  const int room = width - 1 - static_cast<int>(display_width(label) + 1 + tail.size());
  const int cells = std::clamp(room, 0, 40);
  std::string line(label);
  if (cells >= 5) {
    const int full = static_cast<int>(std::lround(fraction * cells));
    line += " " + repeated("\u2588", full) + repeated("\u2591", cells - full);
  }
  line += tail;
  return std::string(cut(line, static_cast<std::size_t>(std::max(width - 1, 0))));
}

ProgressBar::ProgressBar(Terminal terminal) : terminal_(terminal) {
  if (!terminal_.interactive) return;
  thread_ = std::jthread([this](const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, stop, kRedraw, [&stop] { return stop.stop_requested(); })) draw();
  });
}

ProgressBar::~ProgressBar() {
  thread_ = {};
  clear();
}

void ProgressBar::update(double fraction, std::string_view label) {
  const std::lock_guard lock(mutex_);
  fraction_ = fraction;
  label_ = label;
}

void ProgressBar::clear() {
  const std::lock_guard lock(mutex_);
  label_.clear();
  if (visible_) terminal_.write(kClearLine);
  visible_ = false;
}

void ProgressBar::draw() {
  const double elapsed = std::chrono::duration<double>(Clock::now() - started_).count();
  if (label_.empty() || !takes_long(elapsed, fraction_)) return;
  terminal_.write(std::string(kClearLine) +
                  progress_line(fraction_, label_, elapsed, terminal_.width));
  visible_ = true;
}

}  // namespace lichen::cli
