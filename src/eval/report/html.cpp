#include "eval/report/html.h"

#include <spdlog/fmt/fmt.h>

#include "base/format.h"
#include "eval/report/markup.h"
#include "eval/report/sections.h"
#include "eval/report/style.h"
#include "eval/report/words.h"

namespace lichen::eval {

std::string to_html(const Report& report) {
  const auto tasks = report.rows.empty() ? 0 : report.rows.front().n;
  const auto about = fmt::format("Lichen evaluation \u00B7 suite {} \u00B7 {} tasks{}{}",
                                 report.suite, base::format_count(tasks),
                                 report.origin.date.empty() ? "" : " \u00B7 ", report.origin.date);
  const auto words = in_words(report);
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>" +
      escaped("Lichen evaluation: " + report.suite) + "</title>\n<style>\n";
  page += plot_style();
  page += page_style();
  page += "</style>\n</head>\n<body>\n<main>\n<header>\n<p class=\"eyebrow\">" + escaped(about) +
          "</p>\n<h1>" + escaped(words.empty() ? "Suite " + report.suite : words) +
          "</h1>\n</header>\n";
  page += tiles_section(report);
  page += summary_section(report);
  page += frontier_section(report);
  page += routers_section(report);
  page += pairs_section(report);
  page += parts_section(report);
  page += failures_section(report);
  page += origin_section(report);
  return page + "</main>\n</body>\n</html>\n";
}

}  // namespace lichen::eval
