#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <span>

#include "base/format.h"
#include "eval/report/html_table.h"
#include "eval/report/markup.h"
#include "eval/report/sections.h"

namespace lichen::eval {
namespace {

/// Quality by plan on each of `names`, parts of the list that `parts` picks.
std::string parts_table(const Report& report, std::string_view what, std::span<const Part> names,
                        const std::vector<Part> Row::* parts) {
  std::vector<HtmlTable::Column> columns = {{std::string(what)}, {"tasks"}};
  for (const Row& row : report.rows) columns.push_back({row.plan});
  HtmlTable table(std::move(columns), "parts");
  for (const Part& named : names) {
    auto cells = cell(named.name) + cell(base::format_count(named.n));
    for (const Row& row : report.rows) {
      const auto part = std::ranges::find(row.*parts, named.name, &Part::name);
      cells += part == (row.*parts).end()
                   ? empty_cell()
                   : heat_cell(part->accuracy(),
                               fmt::format("{}: {} of {} right", row.plan, part->right, part->n));
    }
    table.row(std::move(cells));
  }
  return table.text();
}

/// In one table, or in two beside each other where it would be long and narrow.
std::string parts_tables(const Report& report, std::string_view what,
                         const std::vector<Part> Row::* parts) {
  constexpr std::size_t kLong = 20, kNarrow = 6;
  const std::span<const Part> names = report.rows.front().*parts;
  if (names.size() <= kLong || report.rows.size() > kNarrow) {
    return parts_table(report, what, names, parts);
  }
  const std::size_t half = (names.size() + 1) / 2;
  return "<div class=\"plots\">\n" + parts_table(report, what, names.first(half), parts) +
         parts_table(report, what, names.subspan(half), parts) + "</div>\n";
}

}  // namespace

/// A name with the colour of its kind.
std::string name_cell(const Report& report, const std::string& plan) {
  const std::string_view kind = !report.is_model(plan)                  ? ""
                                : report.baselines.large.contains(plan) ? " large"
                                                                        : " small";
  return fmt::format("<td><span class=\"kind{}\"></span>{}</td>", kind, escaped(plan));
}

std::string pairs_section(const Report& report) {
  if (report.pairs.empty()) return "";
  HtmlTable table({{"plan"},
                   {"and"},
                   {"both right"},
                   {"only the first"},
                   {"only the second"},
                   {"oracle", "right where the better of the two is chosen for each task"},
                   {"agreement", "both right or both wrong"}});
  for (const Pair& pair : report.pairs) {
    table.row(name_cell(report, pair.first) + name_cell(report, pair.second) +
              cell(base::format_count(pair.both)) + cell(base::format_count(pair.only_first)) +
              cell(base::format_count(pair.only_second)) +
              cell(base::format_percent(pair.oracle())) +
              cell(base::format_percent(pair.agreement())));
  }
  return "<h2>Two plans together</h2>\n<p class=\"note\">Tasks by who is right; the oracle is what "
         "no choice between the two can exceed.</p>\n" +
         table.text();
}

std::string parts_section(const Report& report) {
  if (report.rows.empty()) return "";
  std::string sections;
  if (!report.rows.front().levels.empty()) {
    sections +=
        "<h2>By level</h2>\n<p class=\"note\">Right answers in percent; level 1 is the "
        "easiest.</p>\n" +
        parts_tables(report, "level", &Row::levels);
  }
  if (!report.rows.front().families.empty()) {
    sections += "<h2>By family</h2>\n<p class=\"note\">Right answers in percent.</p>\n" +
                parts_tables(report, "family", &Row::families);
  }
  return sections;
}

std::string failures_section(const Report& report) {
  HtmlTable table({{"plan"}, {"error"}, {"requests"}, {"of"}});
  bool any = false;
  for (const Row& row : report.rows) {
    for (const auto& [code, number] : row.errors) {
      any = true;
      table.row(name_cell(report, row.plan) + cell(code) + cell(base::format_count(number)) +
                cell(base::format_count(row.n)));
    }
  }
  if (!any) return "";
  return "<h2>Failures</h2>\n<p class=\"note\">Requests without an answer that could be checked; "
         "each "
         "counts as a wrong answer.</p>\n" +
         table.text();
}

std::string origin_section(const Report& report) {
  const Origin& origin = report.origin;
  std::string list;
  const auto add = [&list](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    list += "<dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd>\n";
  };
  if (!origin.command.empty()) {
    list += "<dt>command</dt><dd><code>" + escaped(origin.command) + "</code></dd>\n";
  }
  for (const auto& [name, value] : origin.settings) add(name, value);
  if (!origin.cpu.empty()) {
    add("machine",
        fmt::format("{}, {} core{}", origin.cpu, origin.cores, origin.cores == 1 ? "" : "s"));
  }
  add("date", origin.date);
  add("Lichen", origin.version);
  if (list.empty()) return "";
  return "<h2>How this was made</h2>\n<dl class=\"origin\">\n" + list + "</dl>\n";
}

}  // namespace lichen::eval
