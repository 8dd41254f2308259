#include "eval/report/html_table.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "eval/report/markup.h"

namespace lichen::eval {

std::string HtmlTable::text() const {
  std::string head;
  for (const Column& column : columns_) {
    head += column.explained.empty()
                ? fmt::format("<th scope=\"col\">{}</th>", escaped(column.title))
                : fmt::format("<th scope=\"col\" title=\"{}\">{}</th>", escaped(column.explained),
                              escaped(column.title));
  }
  return fmt::format("<div class=\"scroll\"><table class=\"{}\">\n<thead><tr>", classes_) + head +
         "</tr></thead>\n<tbody>\n" + rows_ + "</tbody>\n</table></div>\n";
}

std::string cell(std::string_view text) { return fmt::format("<td>{}</td>", escaped(text)); }

std::string cell(std::string_view text, std::string_view small) {
  return fmt::format("<td>{} <small>{}</small></td>", escaped(text), escaped(small));
}

std::string heat_cell(double share, std::string_view hint) {
  return fmt::format("<td class=\"heat\" style=\"--q:{:.2f}\" title=\"{}\">{}</td>", share,
                     escaped(hint), std::lround(share * 100));
}

std::string empty_cell() { return "<td>\u2013</td>"; }

}  // namespace lichen::eval
