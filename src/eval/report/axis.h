// The axes of a plot: which numbers they show, and where a number lies.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eval/report/svg.h"

namespace lichen::eval {

/// A range of numbers with round ends and a mark at each of `ticks`.
struct Axis {
  std::string title = {};
  double low = 0;
  double high = 1;
  std::vector<double> ticks = {};
  bool logarithmic = false;
  std::function<std::string(double)> format = {};

  /// Where `value` lies between the ends, 0 to 1.
  double place(double value) const;
};

/// From zero, in round steps of which there are four or five.
Axis axis_from_zero(std::string title, double most, std::function<std::string(double)> format);
/// Shares, with ends at round percents around `low` and `high`.
Axis axis_of_shares(std::string title, double low, double high);
/// Positive numbers: from zero, or logarithmic where the greatest is over 15 times the least.
Axis axis_of_magnitudes(std::string title, double least, double most,
                        std::function<std::string(double)> format);

/// The rectangle that data are drawn in, with grid, ticks and titles around it.
class Frame {
 public:
  static constexpr double kFont = 13;  // the font size of the style sheet

  Frame(Size size, Axis x, Axis y);

  Point at(double x, double y) const;
  Box inside() const { return inside_; }
  void draw(Svg& svg) const;

 private:
  const Size size_;
  const Axis x_;
  const Axis y_;
  Box inside_;
};

}  // namespace lichen::eval
