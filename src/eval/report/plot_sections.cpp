#include <spdlog/fmt/fmt.h>

#include "base/format.h"
#include "eval/report/curve_plot.h"
#include "eval/report/frontier.h"
#include "eval/report/html_table.h"
#include "eval/report/markup.h"
#include "eval/report/sections.h"

namespace lichen::eval {
namespace {

constexpr Size kPlot{.width = 470, .height = 330};

std::string percent_or_dash(const std::optional<double>& share) {
  return share ? base::format_percent(*share) : "\u2013";
}

std::string figure(const Svg& svg, std::string_view label) {
  return "<figure>" + svg.inlined(kPlot, label) + "</figure>\n";
}

std::string router_table(const RouterCurves& router) {
  HtmlTable table({{""},
                   {"APGR",
                    "mean over all shares of the quality gap that is recovered; at random "
                    "0.5"},
                   {"CPT50",
                    "the smallest share of requests to large that recovers half of the "
                    "gap"},
                   {"CPT80", "the smallest share that recovers 80 % of the gap"}});
  for (const NamedCurve& curve : router.curves) {
    std::string cells = fmt::format("<td><span class=\"key {}\"></span>{}</td>",
                                    curve_class(router, curve), escaped(curve.name));
    if (curve.figures) {
      cells += cell(fmt::format("{:.3f}", curve.figures->apgr)) +
               cell(percent_or_dash(curve.figures->cpt50)) +
               cell(percent_or_dash(curve.figures->cpt80));
    } else {
      cells += empty_cell() + empty_cell() + empty_cell();
    }
    table.row(std::move(cells));
  }
  return table.text();
}

std::string threshold_of(const RouterCurves& router) {
  return router.threshold ? fmt::format("{:.4g}", *router.threshold) : "changing";
}

/// One line for each plan of the group: what it was measured at.
std::string threshold_table(const RouterGroup& routers) {
  HtmlTable table(
      {{"plan"},
       {"threshold", "of the score, which says how sure it is that small suffices"},
       {"requests to large"},
       {"right"},
       {"PGR", "share of the quality gap between small and large that is recovered"},
       {"AUROC", "how well the score tells small's right answers from its wrong ones"}});
  for (const RouterCurves* router : routers) {
    table.row(cell(router->plan) + cell(threshold_of(*router)) +
              cell(base::format_percent(router->measured.share)) +
              cell(base::format_percent(router->measured.quality)) +
              (router->recovered ? cell(fmt::format("{:.2f}", *router->recovered)) : empty_cell()) +
              (router->auroc ? cell(fmt::format("{:.3f}", *router->auroc)) : empty_cell()));
  }
  return table.text();
}

std::string title_of(const RouterGroup& routers) {
  std::string names;
  for (const RouterCurves* router : routers) names += (names.empty() ? "" : ", ") + router->plan;
  return names;
}

}  // namespace

std::string frontier_section(const Report& report) {
  std::string plots;
  for (const Cost cost : {cost_known(report), Cost::p50_ms}) {
    const auto title = frontier_title(cost);
    plots += "<div><h3>" + title + "</h3>" + figure(draw_frontier(report, cost, kPlot), title) +
             "</div>\n";
  }
  return "<h2>Frontier</h2>\n<p class=\"note\">Up and to the left is better. The line joins the "
         "plans "
         "that no other beats in both; whiskers are 95 % intervals.</p>\n<div class=\"plots\">\n" +
         plots + "</div>\n";
}

std::string routers_section(const Report& report) {
  std::string sections;
  for (const RouterGroup& routers : grouped(report.curves)) {
    const RouterCurves& first = *routers.front();
    const auto title = title_of(routers);
    sections += "<h3>" + escaped(title) + "</h3>\n";
    if (!first.note.empty()) {
      sections += "<p class=\"note\">No PGR, APGR or CPT: " + escaped(first.note) + ".</p>\n";
    }
    const auto label = title + ": quality against the share of requests to large";
    sections += "<div class=\"plots\">" + figure(draw_routers(routers, kPlot), label) + "<div>" +
                threshold_table(routers) + router_table(first) + "</div></div>\n";
  }
  if (sections.empty()) return "";
  return "<h2>Routers at every threshold</h2>\n<p class=\"note\">The lines are what other "
         "thresholds would have given, computed from what small and large answered alone; the dots "
         "are "
         "what was measured.</p>\n" +
         sections;
}

}  // namespace lichen::eval
