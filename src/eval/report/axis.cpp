#include "eval/report/axis.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace lichen::eval {
namespace {

/// 1, 2 or 5 times a power of ten: the smallest that is not under `least`.
double round_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (digit * power >= least * (1 - 1e-9)) return digit * power;
  }
  return 10 * power;
}

std::vector<double> ticks_between(double low, double high, double step) {
  std::vector<double> ticks;
  for (int i = 0; low + i * step <= high + step * 1e-6; ++i) ticks.push_back(low + i * step);
  return ticks;
}

}  // namespace

double Axis::place(double value) const {
  if (!logarithmic) return (value - low) / (high - low);
  return std::log(std::max(value, low) / low) / std::log(high / low);
}

Axis axis_from_zero(std::string title, double most, std::function<std::string(double)> format) {
  const double step = round_step((most > 0 ? most : 1) / 5);
  const double high = step * std::ceil(most > 0 ? most / step - 1e-9 : 1);
  return {.title = std::move(title),
          .low = 0,
          .high = high,
          .ticks = ticks_between(0, high, step),
          .format = std::move(format)};
}

Axis axis_of_shares(std::string title, double low, double high) {
  const double step = std::max(round_step((high - low) / 5), 0.01);
  const double first = std::max(0.0, step * std::floor(low / step + 1e-9));
  double last = std::min(1.0, step * std::ceil(high / step - 1e-9));
  if (last <= first) last = first + step;
  return {.title = std::move(title),
          .low = first,
          .high = last,
          .ticks = ticks_between(first, last, step),
          .format = [](double share) { return fmt::format("{:.0f} %", share * 100); }};
}

Axis axis_of_magnitudes(std::string title, double least, double most,
                        std::function<std::string(double)> format) {
  constexpr double kWide = 15;
  if (!(least > 0) || most / least <= kWide) {
    return axis_from_zero(std::move(title), most, std::move(format));
  }
  Axis axis{.title = std::move(title) + ", logarithmic",
            .low = least / 1.25,
            .high = most * 1.25,
            .logarithmic = true,
            .format = std::move(format)};
  const bool many = axis.high / axis.low > 1'000;  // then powers of ten are enough
  for (double power = std::pow(10, std::floor(std::log10(axis.low))); power <= axis.high;
       power *= 10) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      if (many && digit != 1) continue;
      const double tick = digit * power;
      if (tick >= axis.low && tick <= axis.high) axis.ticks.push_back(tick);
    }
  }
  return axis;
}

Frame::Frame(Size size, Axis x, Axis y) : size_(size), x_(std::move(x)), y_(std::move(y)) {
  double widest = 0;
  for (const double tick : y_.ticks) {
    widest = std::max(widest, text_width(y_.format(tick), kFont));
  }
  constexpr double kTop = 12;
  const double last = x_.ticks.empty() ? 0 : text_width(x_.format(x_.ticks.back()), kFont);
  const double right = std::max(14.0, last / 2 + 2);
  const double left = kFont * 1.7 + widest + 10;
  const double bottom = kFont * 3.6;
  inside_ = {.x = left,
             .y = kTop,
             .width = size.width - left - right,
             .height = size.height - kTop - bottom};
}

Point Frame::at(double x, double y) const {
  return {.x = inside_.x + x_.place(x) * inside_.width,
          .y = inside_.bottom() - y_.place(y) * inside_.height};
}

void Frame::draw(Svg& svg) const {
  for (const double tick : y_.ticks) {
    const double y = inside_.bottom() - y_.place(tick) * inside_.height;
    svg.line({inside_.x, y}, {inside_.right(), y}, "grid");
    svg.text({inside_.x - 8, y + kFont * 0.35}, Svg::Anchor::end, "tick", y_.format(tick));
  }
  for (const double tick : x_.ticks) {
    const double x = inside_.x + x_.place(tick) * inside_.width;
    svg.line({x, inside_.bottom()}, {x, inside_.bottom() + 4}, "axis");
    svg.text({x, inside_.bottom() + kFont * 1.5}, Svg::Anchor::middle, "tick", x_.format(tick));
  }
  svg.line({inside_.x, inside_.bottom()}, {inside_.right(), inside_.bottom()}, "axis");
  svg.text({inside_.x + inside_.width / 2, size_.height - kFont * 0.4}, Svg::Anchor::middle,
           "axis-title", x_.title);
  svg.text_upwards({kFont, inside_.y + inside_.height / 2}, "axis-title", y_.title);
}

}  // namespace lichen::eval
