#include "cli/distill/loss_page.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string_view>

#include "base/format.h"
#include "eval/report/axis.h"
#include "eval/report/markup.h"
#include "eval/report/style.h"
#include "eval/report/svg.h"

namespace lichen::cli {

namespace {

using eval::escaped;
using training::CurvePoint;

/// At most so many points of a curve are drawn: each is the mean of those that it stands for.
constexpr std::size_t kMostPoints = 400;

std::vector<eval::Point> thinned(const std::vector<CurvePoint>& curve) {
  const std::size_t each = (curve.size() + kMostPoints - 1) / kMostPoints;
  std::vector<eval::Point> points;
  for (std::size_t begin = 0; begin < curve.size(); begin += each) {
    const std::size_t end = std::min(begin + each, curve.size());
    eval::Point sum;
    for (std::size_t i = begin; i < end; ++i) {
      sum.x += static_cast<double>(curve[i].step);
      sum.y += curve[i].loss;
    }
    const auto count = static_cast<double>(end - begin);
    points.push_back({sum.x / count, sum.y / count});
  }
  return points;
}

std::vector<eval::Point> held_out(const std::vector<CurvePoint>& curve) {
  std::vector<eval::Point> points;
  for (const CurvePoint& point : curve) {
    if (point.held_out) points.push_back({static_cast<double>(point.step), point.held_out->loss});
  }
  return points;
}

std::string drawing(const std::vector<CurvePoint>& curve) {
  const std::vector<eval::Point> learned = thinned(curve), measured = held_out(curve);
  double most = 0;
  for (const auto* points : {&learned, &measured}) {
    for (const eval::Point& point : *points) most = std::max(most, point.y);
  }
  constexpr eval::Size kSize{1'000, 420};
  const eval::Frame frame(
      kSize,
      eval::axis_from_zero("step", static_cast<double>(curve.back().step),
                           [](double step) { return base::format_count(std::llround(step)); }),
      eval::axis_from_zero("loss", most, [](double loss) { return fmt::format("{:.3g}", loss); }));
  eval::Svg svg;
  frame.draw(svg);
  const auto line = [&](const std::vector<eval::Point>& points, std::string_view classes) {
    std::vector<eval::Point> places;
    for (const eval::Point& point : points) places.push_back(frame.at(point.x, point.y));
    svg.polyline(places, classes);
  };
  line(learned, "curve router");
  line(measured, "curve length");
  for (const eval::Point& point : measured) {
    svg.circle(frame.at(point.x, point.y), 3, "dot large",
               fmt::format("held out, step {:.0f}: {:.4f}", point.x, point.y));
  }
  return svg.inlined(kSize, "The loss by step");
}

std::string list(std::string_view classes,
                 const std::vector<std::pair<std::string, std::string>>& entries, bool boxes) {
  std::string html = fmt::format("<dl class=\"{}\">\n", classes);
  for (const auto& [name, value] : entries) {
    const std::string entry = "<dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd>";
    html += boxes ? "<div>" + entry + "</div>\n" : entry + "\n";
  }
  return html + "</dl>\n";
}

}  // namespace

std::string to_html(const LossPage& page) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>" +
      escaped(page.title) + "</title>\n<style>\n";
  html += eval::plot_style();
  html += eval::page_style();
  html +=
      "</style>\n</head>\n<body>\n<main>\n<header>\n<p class=\"eyebrow\">Lichen "
      "training</p>\n<h1>" +
      escaped(page.title) + "</h1>\n</header>\n" + list("tiles", page.tiles, true);
  html +=
      "<h2>Loss</h2>\n<p class=\"note\">Of each step's tokens; with points, of the examples that "
      "are held out.</p>\n" +
      drawing(page.curve);
  html += "<h2>How this was made</h2>\n" + list("origin", page.origin, false);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace lichen::cli
