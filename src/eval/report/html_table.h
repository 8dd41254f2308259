// A table of an HTML report: titles that explain themselves, the first column stays in sight.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lichen::eval {

class HtmlTable {
 public:
  struct Column {
    std::string title;
    std::string explained = {};  // shown when the pointer rests on the title
  };

  /// Titles are escaped; cells are markup; `classes` are those of the style sheet.
  explicit HtmlTable(std::vector<Column> columns, std::string_view classes = "")
      : columns_(std::move(columns)), classes_(classes) {}
  /// Whole cells, "<td>...</td>", one for each column.
  void row(std::string cells) { rows_ += "<tr>" + std::move(cells) + "</tr>\n"; }
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::string_view classes_;
  std::string rows_;
};

std::string cell(std::string_view text);
/// With a second, smaller text behind the first.
std::string cell(std::string_view text, std::string_view small);
/// A share of 0 to 1, tinted the more the larger it is; `hint` is shown when the pointer rests on
/// it.
std::string heat_cell(double share, std::string_view hint);
/// For where there is no number.
std::string empty_cell();

}  // namespace lichen::eval
