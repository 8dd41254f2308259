// An SVG drawing, element by element. Coordinates are user units, y downwards. How things look is
// said by classes (style.h), so that one drawing fits a light and a dark page.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lichen::eval {

struct Point {
  double x = 0;
  double y = 0;
};

struct Size {
  double width = 0;
  double height = 0;
};

struct Box {
  double x = 0;  // of the left upper corner
  double y = 0;
  double width = 0;
  double height = 0;

  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

/// Text that comes from outside is escaped; classes are ours.
class Svg {
 public:
  enum class Anchor : std::uint8_t { start, middle, end };

  void line(Point from, Point to, std::string_view classes);
  void polyline(std::span<const Point> points, std::string_view classes);
  /// `hint` is shown when the pointer rests on it.
  void circle(Point centre, double radius, std::string_view classes, std::string_view hint);
  void text(Point at, Anchor anchor, std::string_view classes, std::string_view content);
  /// The same, read from the bottom up.
  void text_upwards(Point at, std::string_view classes, std::string_view content);

  /// The element for an HTML page, as wide as its surroundings allow. `label` is for those who
  /// cannot see it.
  std::string inlined(Size size, std::string_view label) const;
  /// A file of its own, with the style sheet in it.
  std::string standalone(Size size, std::string_view label, std::string_view css) const;

 private:
  std::string body_;
};

/// How wide `text` is likely to be in a usual sans-serif font; a little more rather than less.
double text_width(std::string_view text, double font_size);

}  // namespace lichen::eval
