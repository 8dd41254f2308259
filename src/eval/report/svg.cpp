#include "eval/report/svg.h"

#include <spdlog/fmt/fmt.h>

#include "base/utf8.h"
#include "eval/report/markup.h"

namespace lichen::eval {
namespace {

constexpr std::string_view kAnchors[] = {"start", "middle", "end"};

std::string with_attributes(Size size, std::string_view label, std::string_view more) {
  return fmt::format("<svg {}viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n", more,
                     size.width, size.height, escaped(label));
}

}  // namespace

void Svg::line(Point from, Point to, std::string_view classes) {
  body_ +=
      fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                  classes, from.x, from.y, to.x, to.y);
}

void Svg::polyline(std::span<const Point> points, std::string_view classes) {
  body_ += fmt::format("<polyline class=\"{}\" points=\"", classes);
  for (const auto& [x, y] : points) body_ += fmt::format("{:.1f},{:.1f} ", x, y);
  body_ += "\"/>\n";
}

void Svg::circle(Point centre, double radius, std::string_view classes, std::string_view hint) {
  body_ += fmt::format(
      "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>{}</title></circle>\n",
      classes, centre.x, centre.y, radius, escaped(hint));
}

void Svg::text(Point at, Anchor anchor, std::string_view classes, std::string_view content) {
  body_ += fmt::format(
      "<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", classes, at.x,
      at.y, kAnchors[static_cast<std::size_t>(anchor)], escaped(content));
}

void Svg::text_upwards(Point at, std::string_view classes, std::string_view content) {
  body_ += fmt::format(
      "<text class=\"{}\" transform=\"translate({:.1f} {:.1f}) rotate(-90)\" "
      "text-anchor=\"middle\">{}</text>\n",
      classes, at.x, at.y, escaped(content));
}

std::string Svg::inlined(Size size, std::string_view label) const {
  return with_attributes(size, label, "") + body_ + "</svg>\n";
}

std::string Svg::standalone(Size size, std::string_view label, std::string_view css) const {
  const auto more = fmt::format(
      "xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0f}\" "
      "height=\"{:.0f}\" ",
      size.width, size.height);
  return with_attributes(size, label, more) + "<style>\n" + std::string(css) +
         "</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n" + body_ + "</svg>\n";
}

double text_width(std::string_view text, double font_size) {
  constexpr double kMeanAdvance = 0.58;  // of the font's size
  return static_cast<double>(base::count_characters(text)) * kMeanAdvance * font_size;
}

}  // namespace lichen::eval
